-- Peers' time away, and what the people whom they meet would like meanwhile.

-- Whole days by the clock of the zone; the two moments are where they begin and end.
CREATE TABLE leaves (
    id uuid PRIMARY KEY,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    time_zone text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'planned',
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT leaves_end_after_their_start CHECK (ends_at > starts_at),
    CONSTRAINT leaves_state_known CHECK (state IN ('planned', 'withdrawn')),
    CONSTRAINT leaves_one_at_a_time EXCLUDE USING gist (
        peer_id WITH =, tstzrange(starts_at, ends_at) WITH &&
    ) WHERE (state = 'planned')
);
CREATE INDEX leaves_by_end ON leaves (peer_organisation_id, ends_at) WHERE state = 'planned';
ALTER TABLE leaves ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
CREATE POLICY leaves_of_acting_organisations ON leaves
    USING (peer_organisation_id = ANY (acting_organisations()));

-- One per leave and match; the sessions are those that were booked in it when it was planned.
CREATE TABLE leave_questions (
    id uuid PRIMARY KEY,
    leave_id uuid NOT NULL REFERENCES leaves (id),
    match_id uuid NOT NULL REFERENCES matches (id),
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    session_ids uuid[] NOT NULL,
    wish text,
    told_by text,
    UNIQUE (leave_id, match_id),
    CONSTRAINT leave_questions_wish_known CHECK (wish IN ('wait', 'cover', 'change')),
    CONSTRAINT leave_questions_told_by_somebody CHECK ((wish IS NULL) = (told_by IS NULL))
);
CREATE INDEX leave_questions_by_match ON leave_questions (match_id);
CREATE INDEX leave_questions_by_referral ON leave_questions (referral_id);
CREATE INDEX leave_questions_by_session ON leave_questions USING gin (session_ids);
ALTER TABLE leave_questions ENABLE ROW LEVEL SECURITY;
ALTER TABLE leave_questions FORCE ROW LEVEL SECURITY;
CREATE POLICY leave_questions_of_acting_organisations ON leave_questions
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );
