-- Peers' time away, as scheduling tells it. For a long one nobody new is looked for with them: from
-- some days before it until it ends they are `away`, which a timer keeps true.

CREATE TABLE absences (
    leave_id uuid PRIMARY KEY,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX absences_by_end ON absences (ends_at);
ALTER TABLE absences ENABLE ROW LEVEL SECURITY;
ALTER TABLE absences FORCE ROW LEVEL SECURITY;
CREATE POLICY absences_of_acting_organisations ON absences
    USING (peer_organisation_id = ANY (acting_organisations()));

ALTER TABLE peers ADD COLUMN away boolean NOT NULL DEFAULT false;
CREATE INDEX peers_away ON peers (id) WHERE away;
