-- Which transaction last changed a peer, so that a process can keep all peers in memory and read
-- only what changed. A time of day would not do: it is taken before a transaction commits, and
-- what another commits in between would be missed.

ALTER TABLE peers ADD COLUMN changed_in xid8 NOT NULL DEFAULT '0';

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    RETURN NEW;
END
$$;

CREATE TRIGGER peers_note_change
    BEFORE INSERT OR UPDATE ON peers
    FOR EACH ROW EXECUTE FUNCTION note_change();

CREATE INDEX peers_by_transaction ON peers (changed_in);
