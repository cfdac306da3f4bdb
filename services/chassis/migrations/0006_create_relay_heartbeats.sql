-- Who leads a service's relay, by its session, and when it last said so by this server's clock.
CREATE TABLE relay_heartbeats (
    relay text PRIMARY KEY,
    backend_pid integer NOT NULL,
    beat_at timestamptz NOT NULL
) WITH (fillfactor = 50);
