-- The tables that every service has: organisations, inbox, positions, deferred, streams, outbox.

CREATE TABLE organisations (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL,
    area text,
    CONSTRAINT organisations_kind_known CHECK (kind IN ('clinic', 'peer-organisation'))
);

-- Which organisations' rows the current transaction may see. After a transaction the setting
-- is '' and not NULL, hence nullif.
CREATE FUNCTION acting_organisations() RETURNS uuid[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('kindred.orgs', true), ''), '{}')::uuid[];

-- Raised by a restore before the first write, so that consumers can tell a number given
-- again from a duplicate.
CREATE TABLE epochs (
    epoch integer PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO epochs (epoch) VALUES (1);

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (received_at);

-- How far a consumer has come in one aggregate's numbered events.
CREATE TABLE positions (
    consumer text NOT NULL,
    aggregate_id uuid NOT NULL,
    epoch integer NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (consumer, aggregate_id)
);

-- Events that a handler could not finish yet, or never can (parked, with the reason).
CREATE TABLE deferred (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    type text,
    aggregate_id uuid,
    epoch integer,
    sequence bigint,
    org_id uuid,
    clinic_org_id uuid,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL,
    deferred_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    CONSTRAINT deferred_once_per_consumer UNIQUE (consumer, event_id),
    CONSTRAINT deferred_state_known CHECK (
        state IN ('waiting', 'parked', 'superseded', 'discarded')
    )
);
CREATE INDEX deferred_in_order ON deferred (consumer, aggregate_id, epoch, sequence)
    WHERE state IN ('waiting', 'parked');
CREATE INDEX deferred_due ON deferred (not_before) WHERE state = 'waiting';

-- The last number given to an aggregate's events; its row lock orders them.
CREATE TABLE streams (
    aggregate_id uuid NOT NULL,
    aggregate text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (aggregate_id, aggregate)
) WITH (fillfactor = 80);

CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    type text NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    epoch integer NOT NULL,
    sequence bigint NOT NULL,
    org_id uuid,
    clinic_org_id uuid,
    traceparent text,
    occurred_at timestamptz NOT NULL,
    body bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity',
    problem text
) WITH (
    fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 2000
);

-- What the broker confirmed, kept longer than any backup so that it can be sent again.
CREATE TABLE outbox_sent (
    event_id uuid PRIMARY KEY,
    type text NOT NULL,
    aggregate text NOT NULL,
    aggregate_id uuid NOT NULL,
    epoch integer NOT NULL,
    sequence bigint NOT NULL,
    org_id uuid,
    clinic_org_id uuid,
    traceparent text,
    occurred_at timestamptz NOT NULL,
    body bytea NOT NULL,
    sent_at timestamptz NOT NULL
);
CREATE INDEX outbox_sent_by_aggregate ON outbox_sent (aggregate_id, sequence);
CREATE INDEX outbox_sent_by_age ON outbox_sent (sent_at);

-- Who was told what of whom, and why: identifiers and field names only.
CREATE TABLE disclosures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    fields text[] NOT NULL,
    disclosed_at timestamptz NOT NULL
);
CREATE INDEX disclosures_by_subject ON disclosures (subject_id, disclosed_at);
ALTER TABLE disclosures ENABLE ROW LEVEL SECURITY;
ALTER TABLE disclosures FORCE ROW LEVEL SECURITY;
CREATE POLICY disclosures_of_acting_organisations ON disclosures
    USING (org_id = ANY (acting_organisations()));
