-- When an offer was answered or closed, and whose no it was, so that whoever opens the match sees
-- what somebody else has done there.

ALTER TABLE offers
    ADD COLUMN answered_at timestamptz,
    ADD COLUMN declined_by text,
    ADD CONSTRAINT offers_declined_by_known CHECK (declined_by IN ('client', 'peer'));
