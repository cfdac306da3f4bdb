"""From the outbox to the broker: in order per aggregate, removed only once confirmed.

One leader per service, as `leadership` says. A connection on which an answer did not come in time
is thrown away, never used again: late answers would be taken for later ones.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amqp

from services.chassis import metrics
from services.chassis.broker import open_connection
from services.chassis.database import Connection, connect
from services.chassis.events import CONTENT_TYPE, headers_of
from services.chassis.journal import Journal
from services.chassis.leadership import BEAT_SECONDS, Leadership
from services.chassis.log import get_log
from services.chassis.outbox import WAKE_RELAY
from services.chassis.settings import Settings

log = get_log(__name__)

CONFIRM_SECONDS = 5.0
IDLE_SECONDS = 0.25
Row = Mapping[str, Any]


class Unanswered(ConnectionError):
    """The broker did not confirm in time."""


def followed_aggregates(topology: Path, service: str) -> frozenset[str]:
    """The aggregates that some consumer follows: only those must be routable."""
    return frozenset(json.loads(topology.read_text())["followed"].get(service, ()))


@dataclass
class Confirms:
    """Which publishing each answer of the broker is for, by our own delivery tags.

    py-amqp's own confirm waits for any answer and not for the right one.
    """

    last_tag: int = 0
    pending: dict[int, Row] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    refused: list[Row] = field(default_factory=list)
    confirmed: list[Row] = field(default_factory=list)

    def published(self, row: Row) -> None:
        self.last_tag += 1
        self.pending[self.last_tag] = row

    def on_ack(self, tag: int, multiple: bool) -> None:
        self.confirmed += self._answered(tag, multiple)

    def on_nack(self, tag: int, multiple: bool) -> None:
        self.refused += self._answered(tag, multiple)

    def on_return(self, _error: Exception, _exchange: str, _key: str, message: Any) -> None:
        """A return comes before the ack of the same message."""
        self.returned.add(message.properties["message_id"])

    def _answered(self, tag: int, multiple: bool) -> list[Row]:
        tags = [one for one in self.pending if one <= tag] if multiple else [tag]
        return [self.pending.pop(one) for one in tags if one in self.pending]

    def take(self) -> tuple[list[Row], list[Row], list[Row]]:
        """What was confirmed, returned and refused since the last call."""
        returned = [row for row in self.confirmed if str(row["event_id"]) in self.returned]
        confirmed = [row for row in self.confirmed if str(row["event_id"]) not in self.returned]
        refused, self.refused, self.confirmed, self.returned = self.refused, [], [], set()
        return confirmed, returned, refused


@dataclass
class Relay:
    """A loop: becomes the leader if there is none, then publishes until told to stop."""

    service: str
    settings: Settings
    name: str = "relay"

    def run(self, stopping: Callable[[], bool]) -> None:
        with connect(self.settings.database, f"{self.service}.relay", autocommit=True) as database:
            leadership = Leadership(database)
            while not stopping():
                if leadership.take():
                    try:
                        self._lead(leadership, stopping)
                    finally:
                        metrics.RELAY_LEADER.set(0)
                leadership.fence_silent()
                time.sleep(IDLE_SECONDS)

    def _lead(self, leadership: Leadership, stopping: Callable[[], bool]) -> None:
        metrics.RELAY_LEADER.set(1)
        database = leadership.database
        followed = followed_aggregates(self.settings.topology, self.service)
        root = self.settings.journal
        journal = Journal.of(root, self.service) if root else None
        database.execute(f"LISTEN {WAKE_RELAY}")
        with open_connection(self.settings.broker, f"{self.service}.relay") as broker:
            channel = broker.channel()
            confirms = Confirms()
            channel.confirm_select()
            channel.events["basic_ack"].add(confirms.on_ack)
            channel.events["basic_nack"].add(confirms.on_nack)
            channel.events["basic_return"].add(confirms.on_return)
            publisher = Publisher(
                self.service, followed, broker, channel, confirms, leadership.beat
            )
            while not stopping():
                rows = read_batch(database, self.settings.relay_batch)
                if journal:
                    journal.write(rows)
                try:
                    for turn in turns(rows):
                        settle(database, *publisher.publish(turn))
                except Held:
                    continue
                leadership.beat()
                _beat(broker)
                if not rows:
                    _wait_for_hint(database)


@dataclass
class Publisher:
    service: str
    followed: frozenset[str]
    broker: Any
    channel: Any
    confirms: Confirms
    beat: Callable[[], None]

    def publish(self, rows: Sequence[Row]) -> tuple[list[Row], list[Row], list[Row]]:
        """Publish rows of different aggregates and wait until the broker answered for each."""
        for row in rows:
            self.channel.basic_publish(
                message(self.service, row),
                exchange=f"{self.service}.events",
                routing_key=row["type"],
                mandatory=row["aggregate"] in self.followed,
            )
            self.confirms.published(row)
        deadline = time.monotonic() + CONFIRM_SECONDS
        while self.confirms.pending:
            self.beat()
            left = deadline - time.monotonic()
            if left <= 0:
                metrics.PUBLISHED.labels("unanswered").inc(len(self.confirms.pending))
                raise Unanswered(f"{len(self.confirms.pending)} publishings")
            try:
                self.broker.drain_events(timeout=min(left, BEAT_SECONDS))
            except TimeoutError:
                continue
        return self.confirms.take()


def message(service: str, row: Row) -> amqp.Message:
    return amqp.Message(
        bytes(row["body"]),
        content_type=CONTENT_TYPE,
        delivery_mode=2,
        message_id=str(row["event_id"]),
        application_headers=headers_of(service, row),
    )


def turns(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """Split rows so that a turn holds one row of an aggregate: the earliest not yet published.

    A later one goes out only after the earlier one was confirmed; if that was not, the next
    reading finds the aggregate held.
    """
    left = list(rows)
    while left:
        seen: set[Any] = set()
        turn: list[Row] = []
        later: list[Row] = []
        for row in left:
            (later if row["aggregate_id"] in seen else turn).append(row)
            seen.add(row["aggregate_id"])
        yield turn
        left = later


def read_batch(database: Connection, limit: int) -> list[dict[str, Any]]:
    """The oldest rows of aggregates without a row that must wait."""
    query = """
        SELECT position, event_id, type, versions, aggregate, aggregate_id, epoch, sequence, org_id,
               clinic_org_id, traceparent, occurred_at, body
          FROM outbox
         WHERE NOT EXISTS (SELECT FROM outbox AS held
                            WHERE held.aggregate_id = outbox.aggregate_id
                              AND held.not_before > clock_timestamp())
         ORDER BY position
         LIMIT %s
    """
    return database.execute(query, (limit,)).fetchall()


def settle(
    database: Connection,
    confirmed: Sequence[Row],
    returned: Sequence[Row],
    refused: Sequence[Row],
) -> None:
    """Move what was confirmed; hold back what was not, and with it its aggregate."""
    if confirmed:
        query = """
            WITH gone AS (DELETE FROM outbox WHERE position = ANY (%s) RETURNING *)
            INSERT INTO outbox_sent (event_id, type, versions, aggregate, aggregate_id, epoch,
                                     sequence, org_id, clinic_org_id, traceparent, occurred_at,
                                     body, sent_at)
            SELECT event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                   org_id, clinic_org_id, traceparent, occurred_at, body, clock_timestamp()
              FROM gone
                ON CONFLICT (event_id, type) DO UPDATE SET sent_at = excluded.sent_at
        """
        database.execute(query, ([row["position"] for row in confirmed],))
        metrics.PUBLISHED.labels("confirmed").inc(len(confirmed))
    for problem, rows in (("returned", returned), ("refused", refused)):
        if rows:
            _hold(database, rows, problem)
    if returned or refused:
        # The rest of this reading may hold later rows of the same aggregates.
        raise Held(f"{len(returned)} returned, {len(refused)} refused")


class Held(Exception):
    """Something was not taken by the broker; read the outbox afresh."""


def _hold(database: Connection, rows: Sequence[Row], problem: str) -> None:
    query = """
        UPDATE outbox
           SET attempts = attempts + 1, problem = %s,
               not_before = clock_timestamp() + least(power(2, least(attempts, 6)), 60)
                                                * interval '1 second'
         WHERE position = ANY (%s)
    """
    database.execute(query, (problem, [row["position"] for row in rows]))
    metrics.PUBLISHED.labels(problem).inc(len(rows))
    log.warning("events_held", problem=problem, count=len(rows), type=rows[0]["type"])


def _beat(broker: Any) -> None:
    """Show the broker that we live, and read that it does: nobody else reads while all is sent."""
    with suppress(TimeoutError):
        broker.drain_events(timeout=0.001)
    broker.heartbeat_check()


def _wait_for_hint(database: Connection) -> None:
    """Take all hints at once: those that came while we were busy must not each end a wait."""
    for _ in database.notifies(timeout=IDLE_SECONDS, stop_after=1):
        pass
