-- For forgetting what was superseded or discarded long ago.
CREATE INDEX deferred_closed ON deferred (decided_at) WHERE state IN ('superseded', 'discarded');
