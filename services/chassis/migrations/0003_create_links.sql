-- Links that work without an account: one purpose, expiring, known here only by the hash of
-- their secret. A row is seen by its organisations, and by whoever shows the secret itself:
-- who opens a link acts for no organisation before it was found.
CREATE TABLE links (
    id uuid PRIMARY KEY,
    secret_hash bytea NOT NULL,
    purpose text NOT NULL,
    subject_id uuid NOT NULL,
    person_id uuid NOT NULL,
    org_ids uuid[] NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because text,
    CONSTRAINT links_secret_hash_unique UNIQUE (secret_hash),
    CONSTRAINT links_have_an_organisation CHECK (cardinality(org_ids) > 0),
    CONSTRAINT links_closed_with_reason CHECK ((closed_at IS NULL) = (closed_because IS NULL)),
    CONSTRAINT links_closed_because_known CHECK (
        closed_because IN ('used', 'expired', 'disowned', 'replaced')
    )
);

CREATE UNIQUE INDEX links_one_open_per_person ON links (subject_id, person_id, purpose)
    WHERE closed_at IS NULL;

ALTER TABLE links ENABLE ROW LEVEL SECURITY;
ALTER TABLE links FORCE ROW LEVEL SECURITY;
CREATE POLICY links_of_acting_organisations ON links
    USING (
        org_ids && acting_organisations()
        OR secret_hash = decode(nullif(current_setting('kindred.link', true), ''), 'hex')
    )
    WITH CHECK (org_ids && acting_organisations());
