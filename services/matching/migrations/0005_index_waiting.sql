-- How many wait in a state, and since when, without a look at the rows themselves.

CREATE INDEX matches_waiting_by_clinic ON matches (clinic_id, state, received_at, id)
    WHERE state IN ('waiting', 'shortlisted', 'offered', 'chosen');
