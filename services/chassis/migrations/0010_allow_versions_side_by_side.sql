-- An event may go out in several versions at once: one id and one number, a row for each version.
-- `versions` names them all, such as 'v2,v1'; it is null for an event with one version.

ALTER TABLE outbox
    ADD COLUMN versions text,
    DROP CONSTRAINT outbox_event_id_key,
    ADD CONSTRAINT outbox_once_per_version UNIQUE (event_id, type);

ALTER TABLE outbox_sent
    ADD COLUMN versions text,
    DROP CONSTRAINT outbox_sent_pkey,
    ADD CONSTRAINT outbox_sent_pkey PRIMARY KEY (event_id, type);
