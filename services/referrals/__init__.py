"""Owns clinics, the people they refer, referrals, consents, the plan's line and disclosures."""
