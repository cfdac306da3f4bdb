"""What must be asked for to be measured: rows in the database, messages on the broker.

Asked at a modest pace by a loop, never while somebody reads the metrics. Every replica measures
the same, so whoever sums them up takes the greatest.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import psycopg
from amqp import AMQPError
from kombu.exceptions import KombuError

from services.chassis import metrics
from services.chassis.broker import open_connection
from services.chassis.database import Connection
from services.chassis.deferred import GAP
from services.chassis.log import get_log
from services.chassis.work import Workplace

log = get_log(__name__)

PACE_SECONDS = 5.0
_AWAY = (psycopg.Error, OSError, AMQPError, KombuError)


class Observing:
    """Measures, and ends the process when its queues hold messages and nothing moves."""

    name = "observe"

    def __init__(
        self,
        workplace: Workplace,
        queues: Sequence[str],
        stalled: Callable[[str], None],
    ) -> None:
        self.workplace = workplace
        self.queues = queues
        self.stalled = stalled
        self.patience = float(workplace.settings.stuck_seconds)
        self._idle_since: dict[str, float] = {}
        self._seen: dict[str, tuple[int, datetime | None]] = {}

    def run(self, stopping: Callable[[], bool], wait: Callable[[float], object]) -> None:
        while not stopping():
            try:
                self._watch(stopping, wait)
            except _AWAY as error:
                # The loops that cannot do without them tell of it louder.
                log.debug("not_observed", error=error)
                self._idle_since.clear()
                wait(PACE_SECONDS)

    def _watch(self, stopping: Callable[[], bool], wait: Callable[[float], object]) -> None:
        with ExitStack() as stack:
            channel: Any = None
            while not stopping():
                with self.workplace.begin() as work:
                    measure_outbox(work.connection)
                    measure_deferred(work.connection, self.queues)
                if channel is None and self.queues:
                    url, name = self.workplace.settings.broker, self.workplace.service.name
                    broker = stack.enter_context(open_connection(url, f"{name}.{self.name}"))
                    channel = broker.channel()
                if channel is not None:
                    self._measure_queues(channel)
                    broker.heartbeat_check()
                # In steps: heartbeats must go out more often than we measure.
                wait(PACE_SECONDS / 2)
                if channel is not None:
                    broker.heartbeat_check()
                wait(PACE_SECONDS / 2)

    def _measure_queues(self, channel: Any) -> None:
        for queue in self.queues:
            found = channel.queue_declare(queue, passive=True)
            metrics.QUEUE_READY.labels(queue).set(found.message_count)
            metrics.QUEUE_CONSUMERS.labels(queue).set(found.consumer_count)
            self._judge(queue, found.message_count, found.consumer_count)

    def _judge(self, queue: str, ready: int, consumers: int) -> None:
        """Messages that wait for a consumer which is there, while no replica takes any in."""
        now = time.monotonic()
        if self._moves(queue, ready) or not ready or not consumers:
            self._idle_since.pop(queue, None)
        elif now - self._idle_since.setdefault(queue, now) > self.patience:
            log.error("queue_stalled", queue=queue, ready=ready)
            self.stalled(queue)

    def _moves(self, queue: str, ready: int) -> bool:
        """Whether this replica or another has taken anything in since the last look.

        By comparison: an entry is as old as its transaction, which may take long, and what is
        known already is taken in without one.
        """
        before, now = self._seen.get(queue), (ready, self._newest_entry(queue))
        self._seen[queue] = now
        return before is None or now[0] < before[0] or now[1] != before[1]

    def _newest_entry(self, queue: str) -> datetime | None:
        query = """
            SELECT max(received_at) AS newest
              FROM inbox
             WHERE consumer = %s AND received_at > clock_timestamp() - %s * interval '1 second'
        """
        with self.workplace.begin() as work:
            values = (queue, 2 * self.patience + 4 * PACE_SECONDS)
            row = work.connection.execute(query, values).fetchone()
        return row["newest"] if row else None


def measure_outbox(connection: Connection) -> None:
    query = """
        SELECT count(*) AS rows,
               coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0) AS oldest
          FROM outbox
    """
    row = connection.execute(query).fetchone()
    if row is not None:
        metrics.OUTBOX_ROWS.set(row["rows"])
        metrics.OUTBOX_OLDEST.set(float(row["oldest"]))


def measure_deferred(connection: Connection, queues: Sequence[str]) -> None:
    """Every queue and state is set, so that what is over goes back to 0."""
    query = """
        SELECT consumer, state, count(*) AS rows,
               extract(epoch FROM clock_timestamp() - min(deferred_at)) AS oldest,
               coalesce(extract(epoch FROM clock_timestamp()
                                - min(deferred_at) FILTER (WHERE reason = %s)), 0) AS gap_oldest
          FROM deferred
         WHERE state IN ('waiting', 'parked')
         GROUP BY consumer, state
    """
    rows = connection.execute(query, (GAP,)).fetchall()
    found = {(row["consumer"], row["state"]): row for row in rows}
    for queue in queues:
        for state in ("waiting", "parked"):
            row = found.get((queue, state))
            metrics.DEFERRED_ROWS.labels(queue, state).set(row["rows"] if row else 0)
            metrics.DEFERRED_OLDEST.labels(queue, state).set(float(row["oldest"]) if row else 0)
        waiting = found.get((queue, "waiting"))
        metrics.GAP_OLDEST.labels(queue).set(float(waiting["gap_oldest"]) if waiting else 0)
