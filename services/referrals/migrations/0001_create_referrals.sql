-- Clinics, the referrals they send with the person's facts, consents, questions, steps and tasks.

CREATE TABLE clinics (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL,
    area text,
    email text,
    language text NOT NULL,
    auto_accept boolean NOT NULL,
    version integer NOT NULL DEFAULT 1
);

-- The person's facts stand in the referral that stated them, so that undoing a wrong link
-- leaves each referral with its own; client_id alone says who is the same person.
-- client, needs, plan and representative are kept as the clinic gave them; the columns ending
-- in _key exist to recognise the same person.
CREATE TABLE referrals (
    id uuid PRIMARY KEY,
    clinic_id uuid NOT NULL REFERENCES clinics (id),
    client_id uuid NOT NULL,
    linked_referral_id uuid REFERENCES referrals (id),
    external_reference text,
    status text NOT NULL,
    accepted boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL,
    submitted_at timestamptz,
    withdrawn_by text,
    urgency text NOT NULL,
    client jsonb NOT NULL,
    needs jsonb NOT NULL,
    plan jsonb,
    representative jsonb,
    record_key text,
    name_key text NOT NULL,
    birth_date date,
    email_key text,
    phone_key text,
    match_id uuid,
    match_round integer NOT NULL DEFAULT 0,
    match_state text,
    peer_organisation_id uuid,
    owner_role text,
    owner_organisation_id uuid,
    next_date date,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT referrals_status_known CHECK (
        status IN (
            'awaiting-consent', 'submitted', 'information-requested', 'accepted',
            'declined', 'withdrawn', 'completed'
        )
    ),
    CONSTRAINT referrals_open_have_owner_and_date CHECK (
        status IN ('declined', 'withdrawn', 'completed')
        OR (
            owner_role IS NOT NULL AND owner_organisation_id IS NOT NULL AND next_date IS NOT NULL
        )
    ),
    CONSTRAINT referrals_not_linked_to_themselves CHECK (linked_referral_id <> id)
);
CREATE INDEX referrals_newest_first ON referrals (clinic_id, received_at DESC, id DESC);
CREATE INDEX referrals_by_client ON referrals (client_id, received_at DESC);
CREATE INDEX referrals_by_name ON referrals (name_key);
CREATE INDEX referrals_by_record ON referrals (clinic_id, record_key)
    WHERE record_key IS NOT NULL;

CREATE TABLE consents (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    clinic_id uuid NOT NULL,
    given_on date NOT NULL,
    scope text[] NOT NULL,
    recipients text[] NOT NULL,
    ends_at timestamptz,
    recorded_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_cause text,
    CONSTRAINT consents_end_cause_known CHECK (end_cause IN ('withdrawn', 'expired', 'replaced')),
    CONSTRAINT consents_end_has_cause CHECK ((ended_at IS NULL) = (end_cause IS NULL))
);
CREATE UNIQUE INDEX consents_one_in_force ON consents (referral_id) WHERE ended_at IS NULL;
CREATE INDEX consents_by_end ON consents (ends_at) WHERE ended_at IS NULL;

CREATE TABLE information_requests (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    clinic_id uuid NOT NULL,
    asked_for text[] NOT NULL,
    question text,
    requested_at timestamptz NOT NULL,
    answer text,
    provided_at timestamptz
);
CREATE INDEX information_requests_by_referral ON information_requests (referral_id, requested_at);

-- The timeline: codes, identifiers and times, never prose.
CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    clinic_id uuid NOT NULL,
    at timestamptz NOT NULL,
    step text NOT NULL,
    by_role text,
    details jsonb NOT NULL
);
CREATE INDEX steps_by_referral ON steps (referral_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a timeline is only added to';
END
$$;
CREATE TRIGGER steps_only_added BEFORE UPDATE OR DELETE ON steps
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    referral_id uuid NOT NULL REFERENCES referrals (id),
    clinic_id uuid NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    details jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    due_on date NOT NULL,
    done_at timestamptz,
    done_by text,
    version integer NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX tasks_one_open_of_a_kind ON tasks (referral_id, kind, about)
    WHERE done_at IS NULL;
CREATE INDEX tasks_open_by_age ON tasks (clinic_id, opened_at, id) WHERE done_at IS NULL;

ALTER TABLE clinics ENABLE ROW LEVEL SECURITY;
ALTER TABLE clinics FORCE ROW LEVEL SECURITY;
CREATE POLICY clinics_acting ON clinics
    USING (id = ANY (acting_organisations()));
ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY referrals_of_acting_organisations ON referrals
    USING (clinic_id = ANY (acting_organisations()));
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
CREATE POLICY consents_of_acting_organisations ON consents
    USING (clinic_id = ANY (acting_organisations()));
ALTER TABLE information_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE information_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY information_requests_of_acting_organisations ON information_requests
    USING (clinic_id = ANY (acting_organisations()));
ALTER TABLE steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE steps FORCE ROW LEVEL SECURITY;
CREATE POLICY steps_of_acting_organisations ON steps
    USING (clinic_id = ANY (acting_organisations()));
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY tasks_of_acting_organisations ON tasks
    USING (clinic_id = ANY (acting_organisations()));
