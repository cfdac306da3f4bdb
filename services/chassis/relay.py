"""From the outbox to the broker: in order per aggregate, removed only once confirmed.

One leader per service, as `leadership` says. A connection on which an answer did not come in time
is thrown away, never used again: late answers would be taken for later ones.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import UUID

import amqp

from services.chassis import metrics, pulse
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
# A channel opened while a queue had no leader may refuse for that queue for as long as it lives,
# long after the cluster has elected one: a channel that refuses and is older than this is left.
TRUSTED_SECONDS = 3.0
MOST_REMEMBERED = 5000
Row = Mapping[str, Any]


class Unanswered(ConnectionError):
    """The broker did not confirm in time."""


def followed_aggregates(topology: Path, service: str) -> frozenset[str]:
    """The aggregates that some consumer follows: only those must be routable."""
    return frozenset(json.loads(topology.read_text())["followed"].get(service, ()))


@dataclass
class Answers:
    """What the broker said of publishings."""

    confirmed: list[Row] = field(default_factory=list)
    returned: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)


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
        if multiple:
            # They are kept in the order of their tags.
            tags = list(takewhile(lambda one: one <= tag, self.pending))
        else:
            tags = [tag] if tag in self.pending else []
        return [self.pending.pop(one) for one in tags]

    def awaits(self, tag: int) -> bool:
        """Whether anything published up to this tag was not answered yet."""
        return next(iter(self.pending), tag + 1) <= tag

    def take(self) -> Answers:
        """What was confirmed, returned and refused since the last call."""
        found = Answers(refused=self.refused)
        for row in self.confirmed:
            (found.returned if _id_of(row) in self.returned else found.confirmed).append(row)
        # A return whose ack is still to come is kept for it.
        self.returned -= {_id_of(row) for row in found.returned}
        self.confirmed, self.refused = [], []
        return found


@dataclass
class Relay:
    """A loop: becomes the leader if there is none, then publishes until told to stop."""

    service: str
    settings: Settings
    name: str = "relay"
    journaled: set[int] = field(default_factory=set)

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
            while not (stopping() or publisher.is_distrusted):
                busy = {row["aggregate_id"] for row in publisher.sent}
                rows = read_batch(database, self.settings.relay_batch, busy)
                if journal:
                    self._note(rows, journal)
                _publish(rows, publisher, database)
                leadership.beat()
                _beat(broker)
                if not rows and not publisher.sent:
                    _wait_for_hint(database)
            settle(database, publisher.answers())

    def _note(self, rows: Sequence[Row], journal: Journal) -> None:
        """Write down what was not before; a broker may refuse the same events for hours."""
        journal.write([row for row in rows if row["position"] not in self.journaled])
        if len(self.journaled) > MOST_REMEMBERED:
            self.journaled.clear()
        self.journaled.update(row["position"] for row in rows)


def _publish(rows: Sequence[Row], publisher: "Publisher", database: Connection) -> None:
    """Publish a reading, its first turn before the answers to the turn before it are waited for.

    Both are of different aggregates; a later turn repeats aggregates of the one before it.
    """
    first, *later = turns(rows) or [[]]
    before = publisher.last_tag
    publisher.send(first)
    all_taken = settle(database, publisher.answers(up_to=before))
    for turn in later:
        pulse.beat()  # one event of an aggregate after the other may take long
        all_taken = settle(database, publisher.answers()) and all_taken
        if not all_taken:
            return  # the rest may hold later rows of aggregates that are held now
        publisher.send(turn)


@dataclass
class Publisher:
    service: str
    followed: frozenset[str]
    broker: Any
    channel: Any
    confirms: Confirms
    beat: Callable[[], None]
    # The last turn, to which not all answers may have come.
    sent: Sequence[Row] = ()
    opened_at: float = field(default_factory=time.monotonic)
    is_distrusted: bool = False

    @property
    def last_tag(self) -> int:
        return self.confirms.last_tag

    def send(self, rows: Sequence[Row]) -> None:
        """Publish rows of different aggregates, none of which waits for an answer."""
        self.sent = rows
        for row in rows:
            self.channel.basic_publish(
                message(self.service, row),
                exchange=f"{self.service}.events",
                routing_key=row["type"],
                mandatory=row["aggregate"] in self.followed,
            )
            self.confirms.published(row)

    def answers(self, up_to: int | None = None) -> Answers:
        """Wait until the broker answered for everything, or for what was sent up to a tag."""
        tag = self.last_tag if up_to is None else up_to
        deadline = time.monotonic() + CONFIRM_SECONDS
        while self.confirms.awaits(tag):
            self.beat()
            left = deadline - time.monotonic()
            if left <= 0:
                metrics.PUBLISHED.labels("unanswered").inc(len(self.confirms.pending))
                raise Unanswered(f"{len(self.confirms.pending)} publishings")
            try:
                self.broker.drain_events(timeout=min(left, BEAT_SECONDS))
            except TimeoutError:
                continue
        found = self.confirms.take()
        is_old = time.monotonic() - self.opened_at > TRUSTED_SECONDS
        self.is_distrusted = self.is_distrusted or bool(found.refused and is_old)
        return found


def message(service: str, row: Row) -> amqp.Message:
    return amqp.Message(
        bytes(row["body"]),
        content_type=CONTENT_TYPE,
        delivery_mode=2,
        message_id=str(row["event_id"]),
        application_headers=headers_of(service, row),
    )


def turns(rows: Sequence[Row]) -> list[list[Row]]:
    """Split rows so that a turn holds one row of an aggregate: the earliest not yet published.

    A later one goes out only after the earlier one was confirmed; if that was not, the next
    reading finds the aggregate held.
    """
    found: list[list[Row]] = []
    left = list(rows)
    while left:
        seen: set[Any] = set()
        turn: list[Row] = []
        later: list[Row] = []
        for row in left:
            (later if row["aggregate_id"] in seen else turn).append(row)
            seen.add(row["aggregate_id"])
        found.append(turn)
        left = later
    return found


def read_batch(
    database: Connection, limit: int, busy: Collection[UUID] = ()
) -> list[dict[str, Any]]:
    """The oldest rows of aggregates that are not busy and without a row that must wait."""
    query = """
        SELECT position, event_id, type, versions, aggregate, aggregate_id, epoch, sequence, org_id,
               clinic_org_id, traceparent, occurred_at, body
          FROM outbox
         WHERE NOT EXISTS (SELECT FROM outbox AS held
                            WHERE held.aggregate_id = outbox.aggregate_id
                              AND held.not_before > '-infinity'
                              AND held.not_before > clock_timestamp())
           AND aggregate_id <> ALL (%b::uuid[])
         ORDER BY position
         LIMIT %s
    """
    # Planned each time: only for values that it knows the server hashes the list.
    return database.execute(query, (list(busy), limit), prepare=False).fetchall()


def settle(database: Connection, answers: Answers) -> bool:
    """Move what was confirmed; hold back what was not, and with it its aggregate.

    False where something was held.
    """
    if answers.confirmed:
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
        database.execute(query, ([row["position"] for row in answers.confirmed],))
        metrics.PUBLISHED.labels("confirmed").inc(len(answers.confirmed))
    for problem, rows in (("returned", answers.returned), ("refused", answers.refused)):
        if rows:
            _hold(database, rows, problem)
    return not (answers.returned or answers.refused)


def _hold(database: Connection, rows: Sequence[Row], problem: str) -> None:
    query = """
        UPDATE outbox
           SET attempts = attempts + 1, problem = %s,
               not_before = clock_timestamp() + power(2, least(attempts, 4))
                                                * interval '1 second'
         WHERE position = ANY (%s)
    """
    database.execute(query, (problem, [row["position"] for row in rows]))
    metrics.PUBLISHED.labels(problem).inc(len(rows))
    log.warning("events_held", problem=problem, count=len(rows), type=rows[0]["type"])


def _id_of(row: Row) -> str:
    return str(row["event_id"])


def _beat(broker: Any) -> None:
    """Show the broker that we live, and read that it does: nobody else reads while all is sent."""
    with suppress(TimeoutError):
        broker.drain_events(timeout=0.001)
    broker.heartbeat_check()


def _wait_for_hint(database: Connection) -> None:
    """Take all hints at once: those that came while we were busy must not each end a wait."""
    for _ in database.notifies(timeout=IDLE_SECONDS, stop_after=1):
        pass
