-- When two who are matched last met, and since when it counts as quiet that they have not.
ALTER TABLE matches ADD COLUMN last_contact_at timestamptz, ADD COLUMN quiet_at timestamptz;
-- Before this nobody wrote contacts down here: silence is counted from now on.
UPDATE matches SET last_contact_at = now() WHERE state IN ('confirmed', 'active');
CREATE INDEX matches_by_contact ON matches (greatest(last_contact_at, changed_at))
    WHERE state IN ('confirmed', 'active') AND quiet_at IS NULL;
