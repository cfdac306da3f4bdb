-- What is proposed for all who wait together: a run, a line for each person in it, and the prices.

ALTER TABLE needs ADD COLUMN urgency text NOT NULL DEFAULT 'routine';

CREATE TABLE proposals (
    id uuid PRIMARY KEY,
    made_at timestamptz NOT NULL,
    clinic_ids uuid[] NOT NULL,
    policy_version integer NOT NULL,
    is_best boolean NOT NULL, -- by a solver, with prices that prove it
    value bigint NOT NULL,
    bound bigint NOT NULL,
    people integer NOT NULL,
    served integer NOT NULL,
    input_sha256 bytea NOT NULL
);

CREATE INDEX proposals_by_age ON proposals (made_at);

ALTER TABLE proposals ENABLE ROW LEVEL SECURITY;
ALTER TABLE proposals FORCE ROW LEVEL SECURITY;
CREATE POLICY proposals_of_acting_organisations ON proposals
    USING (clinic_ids && acting_organisations() OR clinic_ids = '{}');

-- All that a run was made from, so that it can be checked without what came since; whoever reads
-- it acts for every clinic in it. It goes as soon as somebody in it is no longer looked for.
CREATE TABLE proposal_inputs (
    proposal_id uuid PRIMARY KEY REFERENCES proposals (id) ON DELETE CASCADE,
    clinic_ids uuid[] NOT NULL,
    content bytea NOT NULL
);

ALTER TABLE proposal_inputs ENABLE ROW LEVEL SECURITY;
ALTER TABLE proposal_inputs FORCE ROW LEVEL SECURITY;
CREATE POLICY proposal_inputs_of_acting_organisations ON proposal_inputs
    USING (clinic_ids <@ acting_organisations());

CREATE TABLE proposed_pairs (
    proposal_id uuid NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
    match_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_id uuid,
    peer_organisation_id uuid,
    points integer,
    PRIMARY KEY (proposal_id, match_id),
    CONSTRAINT proposed_pairs_whole CHECK (
        (peer_id IS NULL) = (points IS NULL) AND (peer_id IS NULL) = (peer_organisation_id IS NULL)
    )
);

CREATE INDEX proposed_pairs_by_match ON proposed_pairs (match_id);

ALTER TABLE proposed_pairs ENABLE ROW LEVEL SECURITY;
ALTER TABLE proposed_pairs FORCE ROW LEVEL SECURITY;
CREATE POLICY proposed_pairs_of_acting_organisations ON proposed_pairs
    USING (clinic_id = ANY (acting_organisations()));

-- What one more place of a peer would be worth.
CREATE TABLE proposal_prices (
    proposal_id uuid NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    price bigint NOT NULL,
    PRIMARY KEY (proposal_id, peer_id)
);

ALTER TABLE proposal_prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE proposal_prices FORCE ROW LEVEL SECURITY;
CREATE POLICY proposal_prices_of_acting_organisations ON proposal_prices
    USING (peer_organisation_id = ANY (acting_organisations()));
