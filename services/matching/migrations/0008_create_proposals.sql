-- What is proposed for all who wait together: a run, a line for each person in it, and the prices.

ALTER TABLE needs ADD COLUMN urgency text NOT NULL DEFAULT 'routine';

-- `input` is all that the run was made from, so that it can be checked without what came since;
-- it is removed as soon as somebody in it is no longer looked for, and after a few days.
CREATE TABLE proposals (
    id uuid PRIMARY KEY,
    made_at timestamptz NOT NULL,
    policy_version integer NOT NULL,
    is_best boolean NOT NULL, -- by a solver, with prices that prove it
    value bigint NOT NULL,
    bound bigint NOT NULL,
    people integer NOT NULL,
    served integer NOT NULL,
    input bytea,
    input_sha256 bytea NOT NULL
);

CREATE INDEX proposals_by_age ON proposals (made_at);

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

CREATE TABLE proposal_prices (
    proposal_id uuid NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
    peer_id uuid NOT NULL,
    price bigint NOT NULL,
    PRIMARY KEY (proposal_id, peer_id)
);
