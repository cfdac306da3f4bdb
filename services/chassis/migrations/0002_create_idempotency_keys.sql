-- The answers to writes that carried an Idempotency-Key, kept so that a repeat is answered alike.
-- An answer may hold people's data: it is seen only by who acts for every organisation that the
-- first request acted for, and asked for by its caller (the first wall, in http/idempotency.py).
CREATE TABLE idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    org_ids uuid[] NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    stored_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_one_per_caller PRIMARY KEY (caller, key),
    CONSTRAINT idempotency_keys_key_is_short CHECK (length(key) BETWEEN 1 AND 255)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (stored_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY idempotency_keys_of_acting_organisations ON idempotency_keys
    USING (org_ids <@ acting_organisations());
