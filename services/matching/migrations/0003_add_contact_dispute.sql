-- When somebody at the peer's address said that the mail was not for them; NULL once corrected.

ALTER TABLE peers ADD COLUMN contact_disputed_at timestamptz;
