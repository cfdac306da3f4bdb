-- Peer organisations, and their peers with profile, contact, certificate and places.

CREATE TABLE peer_organisations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    area text,
    version integer NOT NULL DEFAULT 1
);

-- A place is taken from the offer on. Lowering the capacity below what is taken must be possible
-- (the peer's own wish), so the limit follows the capacity down only as places become free.
CREATE TABLE peers (
    id uuid PRIMARY KEY,
    peer_organisation_id uuid NOT NULL REFERENCES peer_organisations (id),
    display_name text NOT NULL,
    email text,
    phone text,
    contact_key text NOT NULL,
    preferred_channel text NOT NULL,
    languages text[] NOT NULL,
    modes text[] NOT NULL,
    postal_code text NOT NULL,
    time_zone text NOT NULL,
    topics text[] NOT NULL,
    access text[] NOT NULL,
    gender text,
    age_band text,
    certified_until date NOT NULL,
    cleared_for_minors boolean NOT NULL,
    state text NOT NULL DEFAULT 'active',
    capacity integer NOT NULL,
    places_limit integer NOT NULL,
    places_taken integer NOT NULL DEFAULT 0,
    registered_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT peers_once_per_organisation_and_contact UNIQUE (peer_organisation_id, contact_key),
    CONSTRAINT peers_state_known CHECK (state IN ('active', 'paused')),
    CONSTRAINT peers_reachable CHECK (email IS NOT NULL OR phone IS NOT NULL),
    CONSTRAINT peers_capacity_not_negative CHECK (capacity >= 0),
    CONSTRAINT peers_capacity_never_exceeded CHECK (places_taken BETWEEN 0 AND places_limit)
);
CREATE INDEX peers_by_registration ON peers (registered_at, id);
CREATE INDEX peers_by_change ON peers (updated_at);

ALTER TABLE peers ENABLE ROW LEVEL SECURITY;
ALTER TABLE peers FORCE ROW LEVEL SECURITY;
CREATE POLICY peers_of_acting_organisations ON peers
    USING (peer_organisation_id = ANY (acting_organisations()));
