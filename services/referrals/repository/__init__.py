"""All SQL of referrals. One method, one statement, on the caller's transaction."""
