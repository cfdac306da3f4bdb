-- An offer that the coordinator has taken back is neither declined nor over in time.

ALTER TABLE offers DROP CONSTRAINT offers_state_known;
ALTER TABLE offers ADD CONSTRAINT offers_state_known CHECK (
    state IN ('open', 'chosen', 'accepted', 'declined', 'expired', 'ended', 'taken-back')
);
