-- People and their hours, rooms, matches to book on, sessions, and claims on everybody's time.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Whose calendar it is: a peer of a peer organisation or a client of a clinic.
CREATE TABLE people (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    organisation_id uuid NOT NULL,
    time_zone text,
    CONSTRAINT people_kind_known CHECK (kind IN ('peer', 'client'))
);
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY people_of_acting_organisations ON people
    USING (organisation_id = ANY (acting_organisations()));

-- Wall times in the person's zone; minutes count from midnight on the clock, 24:00 is 1440.
CREATE TABLE availability (
    person_id uuid PRIMARY KEY REFERENCES people (id),
    organisation_id uuid NOT NULL,
    time_zone text NOT NULL,
    weekly jsonb NOT NULL,
    exceptions jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1
);
ALTER TABLE availability ENABLE ROW LEVEL SECURITY;
ALTER TABLE availability FORCE ROW LEVEL SECURITY;
CREATE POLICY availability_of_acting_organisations ON availability
    USING (organisation_id = ANY (acting_organisations()));

CREATE TABLE rooms (
    id uuid PRIMARY KEY,
    peer_organisation_id uuid NOT NULL,
    name text NOT NULL,
    area text,
    time_zone text NOT NULL,
    step_free boolean NOT NULL,
    version integer NOT NULL DEFAULT 1
);
CREATE INDEX rooms_by_organisation ON rooms (peer_organisation_id);
ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;
ALTER TABLE rooms FORCE ROW LEVEL SECURITY;
CREATE POLICY rooms_of_acting_organisations ON rooms
    USING (peer_organisation_id = ANY (acting_organisations()));

-- Matching's facts about a match that sessions hang on. Once ended it stays ended, so that a
-- late or repeated confirmation cannot open it again.
CREATE TABLE matches (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_id uuid,
    peer_organisation_id uuid,
    mode text,
    state text NOT NULL,
    CONSTRAINT matches_state_known CHECK (state IN ('confirmed', 'ended')),
    CONSTRAINT matches_confirmed_with_a_peer CHECK (
        state = 'ended' OR (peer_id IS NOT NULL AND peer_organisation_id IS NOT NULL)
    )
);
CREATE INDEX matches_by_referral ON matches (referral_id);
ALTER TABLE matches ENABLE ROW LEVEL SECURITY;
ALTER TABLE matches FORCE ROW LEVEL SECURITY;
CREATE POLICY matches_of_acting_organisations ON matches
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );

-- The instant counts; the wall time beside it is what the people agreed on, should a zone's
-- rules change. The id is the calendar entry's UID, the revision its SEQUENCE (RFC 5545).
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    match_id uuid NOT NULL REFERENCES matches (id),
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    room_id uuid REFERENCES rooms (id),
    mode text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    wall_starts_at timestamp NOT NULL,
    time_zone text NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'booked',
    cause text,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT sessions_end_after_their_start CHECK (ends_at > starts_at),
    CONSTRAINT sessions_mode_known CHECK (mode IN ('in-person', 'video', 'phone')),
    CONSTRAINT sessions_state_known CHECK (
        state IN ('booked', 'cancelled', 'held', 'not-held', 'unresolved')
    ),
    CONSTRAINT sessions_cancelled_for_a_cause CHECK (
        (state = 'cancelled') = (cause IS NOT NULL)
    )
);
CREATE INDEX sessions_by_match ON sessions (match_id, starts_at);
CREATE INDEX sessions_by_referral ON sessions (referral_id);
CREATE INDEX sessions_by_peer ON sessions (peer_id, starts_at);
CREATE INDEX sessions_by_client ON sessions (client_id, starts_at);
CREATE INDEX sessions_by_time ON sessions (starts_at, id);
CREATE INDEX sessions_awaiting_an_outcome ON sessions (ends_at) WHERE state = 'booked';
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY sessions_of_acting_organisations ON sessions
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );

-- Time on somebody's or something's calendar, padded already; a cancelled session has none.
-- One constraint for peers, clients and rooms: whoever or whatever it is, once at a time.
CREATE TABLE claims (
    session_id uuid NOT NULL REFERENCES sessions (id),
    kind text NOT NULL,
    resource_id uuid NOT NULL,
    during tstzrange NOT NULL,
    clinic_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    PRIMARY KEY (session_id, kind),
    CONSTRAINT claims_kind_known CHECK (kind IN ('peer', 'client', 'room')),
    CONSTRAINT claims_from_inclusive_until_exclusive CHECK (
        NOT isempty(during) AND lower_inc(during) AND NOT upper_inc(during)
    ),
    CONSTRAINT claims_are_short CHECK (
        lower(during) IS NOT NULL
        AND upper(during) IS NOT NULL
        AND upper(during) - lower(during) <= interval '8 hours'
    ),
    CONSTRAINT claims_one_at_a_time EXCLUDE USING gist (resource_id WITH =, during WITH &&)
);
ALTER TABLE claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE claims FORCE ROW LEVEL SECURITY;
CREATE POLICY claims_of_acting_organisations ON claims
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );
