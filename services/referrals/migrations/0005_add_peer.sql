-- Whom the match of a referral is with, so that this peer alone may learn how the person is called.

ALTER TABLE referrals ADD COLUMN peer_id uuid;
