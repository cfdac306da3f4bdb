-- What open referrals need, and their matches, shortlists and offers.

-- The few facts that ranking needs, kept only while the referral looks for a peer or has one.
CREATE TABLE needs (
    referral_id uuid PRIMARY KEY,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    accepted boolean NOT NULL,
    languages text[] NOT NULL,
    modes text[] NOT NULL,
    postal_code text,
    area text,
    is_minor boolean NOT NULL,
    topics text[] NOT NULL,
    access_needs text[] NOT NULL,
    peer_genders text[] NOT NULL,
    peer_age_bands text[] NOT NULL,
    excluded_peer_ids uuid[] NOT NULL,
    peer_organisation_ids uuid[], -- who may learn of the person; NULL: every one
    preferred_channel text NOT NULL,
    time_zone text NOT NULL
);

-- Peers who are not proposed again for a referral; nobody is asked why.
CREATE TABLE former_peers (
    referral_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (referral_id, peer_id)
);

-- A peer's place is held from `offered` until the match goes back or ends; an ended match still
-- names the peer, for the record.
CREATE TABLE matches (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    round integer NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL,
    offer_id uuid,
    peer_id uuid REFERENCES peers (id),
    peer_organisation_id uuid REFERENCES peer_organisations (id),
    mode text,
    end_reason text,
    policy_version integer NOT NULL,
    ruled_out jsonb NOT NULL DEFAULT '{}',
    next_at timestamptz,
    ranked_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT matches_one_per_referral_and_round UNIQUE (referral_id, round),
    CONSTRAINT matches_state_known CHECK (state IN (
        'waiting', 'shortlisted', 'offered', 'chosen', 'confirmed', 'active', 'ended'
    )),
    CONSTRAINT matches_name_a_peer_while_a_place_is_held CHECK (CASE
        WHEN state IN ('offered', 'chosen', 'confirmed', 'active') THEN peer_id IS NOT NULL
        WHEN state IN ('waiting', 'shortlisted') THEN peer_id IS NULL
        ELSE true
    END),
    CONSTRAINT matches_peer_with_organisation CHECK (
        (peer_id IS NULL) = (peer_organisation_id IS NULL)
    ),
    CONSTRAINT matches_end_with_a_reason CHECK ((state = 'ended') = (end_reason IS NOT NULL)),
    CONSTRAINT matches_confirmed_with_a_mode CHECK (
        state NOT IN ('confirmed', 'active') OR mode IS NOT NULL
    )
);
CREATE UNIQUE INDEX matches_one_open_per_referral ON matches (referral_id) WHERE state <> 'ended';
CREATE INDEX matches_in_order_of_waiting ON matches (received_at, id)
    WHERE state IN ('waiting', 'shortlisted', 'offered', 'chosen');
CREATE INDEX matches_by_answer_time ON matches (next_at) WHERE state IN ('offered', 'chosen');
CREATE INDEX matches_without_a_peer ON matches (ranked_at)
    WHERE state IN ('waiting', 'shortlisted');
CREATE INDEX matches_by_peer ON matches (peer_id);

CREATE TABLE shortlisted_peers (
    match_id uuid NOT NULL REFERENCES matches (id),
    clinic_id uuid NOT NULL,
    position integer NOT NULL,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    points integer NOT NULL,
    modes text[] NOT NULL,
    reasons_for jsonb NOT NULL,
    reasons_against jsonb NOT NULL,
    PRIMARY KEY (match_id, peer_id),
    CONSTRAINT shortlisted_peers_points_in_range CHECK (points BETWEEN 0 AND 10000)
);

CREATE TABLE offers (
    id uuid PRIMARY KEY,
    match_id uuid NOT NULL REFERENCES matches (id),
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'open',
    answer_by timestamptz NOT NULL,
    order_reason text,
    offered_at timestamptz NOT NULL,
    choice_recorded_how text,
    acceptance_recorded_how text,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT offers_state_known CHECK (
        state IN ('open', 'chosen', 'accepted', 'declined', 'expired', 'ended')
    )
);
CREATE UNIQUE INDEX offers_one_living_per_match ON offers (match_id)
    WHERE state IN ('open', 'chosen');

-- The peer whose place is held first, then the alternates.
CREATE TABLE offered_peers (
    offer_id uuid NOT NULL REFERENCES offers (id),
    clinic_id uuid NOT NULL,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    position integer NOT NULL,
    modes text[] NOT NULL,
    PRIMARY KEY (offer_id, peer_id)
);

ALTER TABLE needs ENABLE ROW LEVEL SECURITY;
ALTER TABLE needs FORCE ROW LEVEL SECURITY;
CREATE POLICY needs_of_acting_organisations ON needs
    USING (clinic_id = ANY (acting_organisations()));

ALTER TABLE former_peers ENABLE ROW LEVEL SECURITY;
ALTER TABLE former_peers FORCE ROW LEVEL SECURITY;
CREATE POLICY former_peers_of_acting_organisations ON former_peers
    USING (clinic_id = ANY (acting_organisations()));

ALTER TABLE matches ENABLE ROW LEVEL SECURITY;
ALTER TABLE matches FORCE ROW LEVEL SECURITY;
CREATE POLICY matches_of_acting_organisations ON matches
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );

ALTER TABLE shortlisted_peers ENABLE ROW LEVEL SECURITY;
ALTER TABLE shortlisted_peers FORCE ROW LEVEL SECURITY;
CREATE POLICY shortlisted_peers_of_acting_organisations ON shortlisted_peers
    USING (clinic_id = ANY (acting_organisations()));

ALTER TABLE offers ENABLE ROW LEVEL SECURITY;
ALTER TABLE offers FORCE ROW LEVEL SECURITY;
CREATE POLICY offers_of_acting_organisations ON offers
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );

ALTER TABLE offered_peers ENABLE ROW LEVEL SECURITY;
ALTER TABLE offered_peers FORCE ROW LEVEL SECURITY;
CREATE POLICY offered_peers_of_acting_organisations ON offered_peers
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );
