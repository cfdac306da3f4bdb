"""Who leads the relay: an advisory lock, a heartbeat beside it, and a fence for a silent leader.

A leader that is stopped keeps its session, and with it the lock, until it wakes. A standby that
sees no heartbeat ends that session: whatever the old leader still sends, it can move no row.
"""

import time
from dataclasses import dataclass, field

from services.chassis import metrics
from services.chassis.database import Connection
from services.chassis.log import get_log

log = get_log(__name__)

RELAY = "kindred.relay"
BEAT_SECONDS = 1.0
# Longer than a leader at work is ever silent, which is the wait for one statement or connection.
SILENCE_SECONDS = 8.0


@dataclass
class Leadership:
    """What one database session knows of the lead; the session is the leader's proof."""

    database: Connection
    # When it last beat, or last looked whether the leader does.
    at: float = field(init=False, default=0.0)

    def take(self) -> bool:
        """Become the leader if there is none; the lock and the first heartbeat are one step."""
        query = """
            WITH taken AS MATERIALIZED (
                SELECT pg_try_advisory_lock(hashtext(%(relay)s)) AS leads
            ), beat AS (
                INSERT INTO relay_heartbeats (relay, backend_pid, beat_at)
                SELECT %(relay)s, pg_backend_pid(), clock_timestamp() FROM taken WHERE leads
                    ON CONFLICT (relay) DO UPDATE
                   SET backend_pid = excluded.backend_pid, beat_at = excluded.beat_at
            )
            SELECT leads FROM taken
        """
        row = self.database.execute(query, {"relay": RELAY}).fetchone()
        return row is not None and bool(row["leads"])

    def beat(self) -> None:
        """Say that the leader is at work, at most once a second; raise if its session was ended."""
        if not self._is_time():
            return
        query = "UPDATE relay_heartbeats SET beat_at = clock_timestamp() WHERE relay = %s"
        self.database.execute(query, (RELAY,))

    def fence_silent(self) -> bool:
        """End the session of a leader without a heartbeat, looking once a second; tell if it did.

        A role may end sessions of its own, and every replica of a service has the same role.
        """
        if not self._is_time():
            return False
        query = """
            SELECT pg_terminate_backend(holder.pid) AS ended
              FROM relay_heartbeats AS heartbeat
              JOIN pg_locks AS holder ON holder.pid = heartbeat.backend_pid
              JOIN pg_stat_activity AS session ON session.pid = holder.pid
             WHERE heartbeat.relay = %(relay)s
               AND holder.locktype = 'advisory' AND holder.granted AND holder.objsubid = 1
               AND holder.database = (SELECT oid FROM pg_database
                                       WHERE datname = current_database())
               AND (holder.classid::bigint << 32 | holder.objid::bigint)
                   = hashtext(%(relay)s)::bigint
               -- A number of an ended session may have gone to one that began just now.
               AND greatest(heartbeat.beat_at, session.backend_start)
                   < clock_timestamp() - %(seconds)s * interval '1 second'
        """
        values = {"relay": RELAY, "seconds": SILENCE_SECONDS}
        row = self.database.execute(query, values).fetchone()
        if row is None or not row["ended"]:
            return False
        metrics.RELAY_FENCES.inc()
        log.error("relay_leader_fenced", seconds=SILENCE_SECONDS)
        return True

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self.at < BEAT_SECONDS:
            return False
        self.at = now
        return True
