-- The people we may write to, the messages planned for them and what became of each; no contact.

CREATE TABLE people (
    id uuid PRIMARY KEY,
    role text NOT NULL,
    organisation_id uuid NOT NULL,
    language text,
    detail text NOT NULL DEFAULT 'discreet',
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT people_role_known CHECK (role IN ('client', 'peer')),
    CONSTRAINT people_language_known CHECK (language IN ('en', 'es')),
    CONSTRAINT people_detail_known CHECK (detail IN ('discreet', 'detailed'))
);

ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY people_of_acting_organisations ON people
    USING (organisation_id = ANY (acting_organisations()));

CREATE TABLE messages (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    recipient_role text NOT NULL,
    recipient_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    match_id uuid,
    session_id uuid,
    session_revision integer,
    clinic_id uuid NOT NULL,
    org_id uuid NOT NULL,
    cause_id uuid NOT NULL,
    resend_of uuid REFERENCES messages (id),
    state text NOT NULL DEFAULT 'planned',
    reason text,
    channel text,
    not_before timestamptz NOT NULL,
    held_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    waits integer NOT NULL DEFAULT 0,
    repeats integer NOT NULL DEFAULT 0,
    planned_at timestamptz NOT NULL,
    delivered_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT messages_one_per_cause UNIQUE (cause_id, recipient_role, recipient_id, kind),
    CONSTRAINT messages_recipient_known CHECK (recipient_role IN ('client', 'peer', 'clinic')),
    CONSTRAINT messages_state_known CHECK (state IN (
        'planned', 'sending', 'delivered', 'withheld', 'undeliverable', 'needs-staff',
        'cancelled', 'superseded'
    )),
    CONSTRAINT messages_delivered_at_a_time CHECK ((state = 'delivered') = (delivered_at IS NOT NULL)),
    CONSTRAINT messages_repeats_are_attempts CHECK (repeats <= attempts)
);

CREATE INDEX messages_due ON messages (not_before, id) WHERE state IN ('planned', 'sending');
CREATE INDEX messages_of_referral ON messages (referral_id, planned_at, id);
CREATE INDEX messages_of_recipient ON messages (recipient_id, planned_at, id);
CREATE INDEX messages_of_session ON messages (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX messages_of_match ON messages (match_id) WHERE match_id IS NOT NULL;

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY messages_of_acting_organisations ON messages
    USING (clinic_id = ANY (acting_organisations()) OR org_id = ANY (acting_organisations()));
