-- The relay asks of every row that it reads whether its aggregate is held; few are, and without
-- an index each question read the whole outbox.
CREATE INDEX outbox_held ON outbox (aggregate_id) WHERE not_before > '-infinity';
