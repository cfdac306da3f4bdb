"""The pages of clinics and coordinators about referrals."""
