-- A pause that the person takes: nobody is asked anything meanwhile, their peer stays theirs, and
-- so does the waiting date. Why, in a word, stays in this table.

ALTER TABLE referrals
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_until date,
    ADD COLUMN pause_reason text,
    ADD CONSTRAINT referrals_pause_reason_known
        CHECK (pause_reason IN ('in-hospital', 'taking-a-break', 'other')),
    ADD CONSTRAINT referrals_pause_with_reason CHECK ((paused_at IS NULL) = (pause_reason IS NULL)),
    ADD CONSTRAINT referrals_pause_ends_with_it
        CHECK (paused_at IS NOT NULL OR paused_until IS NULL);
CREATE INDEX referrals_by_pause_end ON referrals (paused_until) WHERE paused_until IS NOT NULL;
