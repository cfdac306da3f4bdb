-- When somebody at the person's address said that the mail was not for them; NULL once corrected.

ALTER TABLE referrals ADD COLUMN contact_disputed_at timestamptz;
