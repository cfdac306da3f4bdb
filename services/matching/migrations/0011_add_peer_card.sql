-- What a peer shows of themselves: a few words of their own, and of each topic who else may see it.
-- A topic that stands in neither list serves matching alone.

ALTER TABLE peers
    ADD COLUMN story text,
    ADD COLUMN topics_for_clients text[] NOT NULL DEFAULT '{}',
    ADD COLUMN topics_for_supervisors text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT peers_show_only_topics_given CHECK (
        topics_for_clients <@ topics AND topics_for_supervisors <@ topics
    );
