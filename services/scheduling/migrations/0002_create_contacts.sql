-- The contact log of peers, and how long a relationship has been without contact.

-- What a peer did, with how many and for how long; codes and numbers only. Kind and setting are
-- unknown after a restore, for no event tells them.
CREATE TABLE contacts (
    id uuid PRIMARY KEY,
    peer_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    form text NOT NULL,
    kind text,
    setting text,
    started_at timestamptz NOT NULL,
    time_zone text NOT NULL,
    minutes integer NOT NULL,
    people integer NOT NULL,
    session_id uuid REFERENCES sessions (id),
    state text NOT NULL DEFAULT 'logged',
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT contacts_form_known CHECK (form IN ('person', 'group')),
    CONSTRAINT contacts_state_known CHECK (state IN ('logged', 'withdrawn')),
    CONSTRAINT contacts_take_time CHECK (minutes > 0),
    CONSTRAINT contacts_count_people CHECK (people >= 0)
);
CREATE INDEX contacts_by_peer ON contacts (peer_id, started_at DESC, id DESC);
CREATE INDEX contacts_by_organisation
    ON contacts (peer_organisation_id, started_at DESC, id DESC);
CREATE UNIQUE INDEX contacts_one_per_session ON contacts (session_id) WHERE state = 'logged';
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY contacts_of_acting_organisations ON contacts
    USING (peer_organisation_id = ANY (acting_organisations()));

-- Who of the peer's own people took part.
CREATE TABLE contact_people (
    contact_id uuid NOT NULL REFERENCES contacts (id),
    match_id uuid NOT NULL REFERENCES matches (id),
    referral_id uuid NOT NULL,
    client_id uuid NOT NULL,
    clinic_id uuid NOT NULL,
    peer_organisation_id uuid NOT NULL,
    PRIMARY KEY (contact_id, match_id)
);
CREATE INDEX contact_people_by_match ON contact_people (match_id);
CREATE INDEX contact_people_by_referral ON contact_people (referral_id);
CREATE INDEX contact_people_by_client ON contact_people (client_id);
ALTER TABLE contact_people ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_people FORCE ROW LEVEL SECURITY;
CREATE POLICY contact_people_of_acting_organisations ON contact_people
    USING (
        clinic_id = ANY (acting_organisations())
        OR peer_organisation_id = ANY (acting_organisations())
    );

-- A relationship has been quiet since its last contact, or else since it began.
ALTER TABLE matches
    ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN last_contact_at timestamptz;
UPDATE matches
   SET last_contact_at = held.at
  FROM (
        SELECT match_id, max(starts_at) AS at FROM sessions WHERE state = 'held' GROUP BY match_id
       ) AS held
 WHERE held.match_id = matches.id;
ALTER TABLE matches
    ADD COLUMN quiet_since timestamptz NOT NULL
        GENERATED ALWAYS AS (coalesce(last_contact_at, opened_at)) STORED;
CREATE INDEX matches_by_quiet
    ON matches (peer_organisation_id, quiet_since, id) WHERE state = 'confirmed';
CREATE INDEX matches_by_peer ON matches (peer_id) WHERE state = 'confirmed';
CREATE INDEX matches_by_client ON matches (client_id);
