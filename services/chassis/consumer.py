"""From a batch of deliveries to handlers: once each, in order per aggregate, all or nothing.

`Handling` decides and commits; `QueueLoop` fetches from the broker and acknowledges afterwards.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from marshmallow import Schema, ValidationError

from services.chassis import deferred, events, inbox, metrics
from services.chassis.broker import open_connection
from services.chassis.deferred import Delivery
from services.chassis.errors import DomainError, OwnerAway, UnreadableEvent
from services.chassis.events import Received
from services.chassis.inbox import Position, Standing
from services.chassis.internal import Directory
from services.chassis.log import get_log
from services.chassis.service import Consumed
from services.chassis.work import Work, Workplace

log = get_log(__name__)

# After this many deliveries that nobody answered, an event is tried apart from the queue,
# where an attempt is counted even if it kills the process.
SUSPECT_DELIVERIES = 3
# Conflicts that another try right away may not meet again.
PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)

Pair = tuple[Received, Delivery]


class Refused(Exception):
    """The event can be read but never handled; its text is the reason."""


@dataclass
class Handling:
    """How one queue's events are handled, wherever they come from."""

    workplace: Workplace
    directory: Directory
    queue: str
    consumed: Sequence[Consumed]
    schemas: dict[str, Schema] = field(init=False)
    by_type: dict[str, Consumed] = field(init=False)

    def __post_init__(self) -> None:
        self.by_type = {one.type: one for one in self.consumed}
        self.schemas = {one.type: one.schema() for one in self.consumed}

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle deliveries in order; when this returns, every one may be acknowledged.

        Raises only what means that nothing can be handled now, such as a lost database.
        """
        pairs = list(filter(None, map(self._read, deliveries)))
        if not pairs:
            return
        try:
            self.handle_together(pairs)
        except psycopg.OperationalError as error:
            if not isinstance(error, PASSING):
                raise
            self._handle_one_by_one(pairs)
        except Exception as error:  # noqa: BLE001  whatever it was, it is found out one by one
            log.info("batch_split", queue=self.queue, count=len(pairs), cause=_code(error))
            self._handle_one_by_one(pairs)

    def handle_together(self, pairs: Sequence[Pair]) -> None:
        """All in one transaction, or none."""
        received = [event for event, _ in pairs]
        answers = self._ask(received)
        orgs = {org for event in received for org in event.orgs}
        outcomes: Counter[str] = Counter()
        with self.workplace.begin(orgs) as work:
            connection = work.connection
            fresh = inbox.take_first_deliveries(connection, self.queue, received)
            subjects = [event.subject for event in received]
            positions = inbox.lock_positions(connection, self.queue, subjects)
            reached: dict[UUID, Position] = {}
            for event, delivery in pairs:
                if event.id not in fresh:
                    outcomes["duplicate"] += 1
                    continue
                fresh.discard(event.id)
                position = reached.get(event.subject) or positions.get(event.subject, Position())
                outcome = self._place(event, delivery, position, work, answers)
                outcomes[outcome] += 1
                if outcome in ("handled", "skipped"):
                    reached[event.subject] = Position(event.epoch, event.sequence)
            if reached:
                inbox.store_positions(connection, self.queue, reached)
        for outcome, count in outcomes.items():
            metrics.EVENTS.labels(self.queue, outcome).inc(count)

    def retry(self, deferred_id: int) -> None:
        """Try an event that was set aside; it stays aside if it still cannot be handled."""
        with self.workplace.begin() as work:
            row = deferred.claim(work.connection, deferred_id, work.now)
        if row is None:
            return
        delivery = Delivery(
            headers=row["headers"]["headers"],
            content_type=row["headers"]["content_type"],
            body=bytes(row["body"]),
        )
        try:
            event = events.read(delivery.headers, delivery.content_type, delivery.body)
            self._retry(deferred_id, event)
        except psycopg.OperationalError as error:
            if not isinstance(error, PASSING):
                raise
        except Exception as error:  # noqa: BLE001  kept with its reason, never lost
            self._postpone(deferred_id, row["attempts"], error)

    def _retry(self, deferred_id: int, event: Received) -> None:
        answers = self._ask([event])
        with self.workplace.begin(event.orgs) as work:
            if not deferred.lock_waiting(work.connection, deferred_id):
                return
            found = inbox.lock_positions(work.connection, self.queue, [event.subject])
            standing = found.get(event.subject, Position()).standing(event)
            if standing is Standing.BEYOND:
                return
            if standing is Standing.NEXT:
                self._call(event, work, answers)
                position = Position(event.epoch, event.sequence)
                inbox.store_positions(work.connection, self.queue, {event.subject: position})
            deferred.settle(work.connection, deferred_id)
        metrics.EVENTS.labels(self.queue, "handled").inc()

    def _postpone(self, deferred_id: int, attempts: int, error: Exception) -> None:
        park = _is_final(error) or (
            attempts >= deferred.ATTEMPTS and not isinstance(error, OwnerAway)
        )
        log.error(
            "event_not_handled", error=error, queue=self.queue, attempts=attempts, parked=park
        )
        with self.workplace.begin() as work:
            deferred.postpone(work.connection, deferred_id, reason=_reason(error), park=park)
        if park:
            metrics.EVENTS.labels(self.queue, "parked").inc()

    def _read(self, delivery: Delivery) -> Pair | None:
        try:
            event = events.read(delivery.headers, delivery.content_type, delivery.body)
        except UnreadableEvent as error:
            with self.workplace.begin() as work:
                deferred.park_unreadable(
                    work.connection,
                    self.queue,
                    delivery,
                    reason=f"unreadable: {error}",
                    now=work.now,
                )
            metrics.EVENTS.labels(self.queue, "parked").inc()
            log.error("event_unreadable", queue=self.queue)
            return None
        return event, delivery

    def _handle_one_by_one(self, pairs: Sequence[Pair]) -> None:
        for event, delivery in pairs:
            try:
                self._handle_alone(event, delivery)
            except psycopg.OperationalError as error:
                if not isinstance(error, PASSING):
                    raise
                self._set_aside(event, delivery, error)
            except Exception as error:  # noqa: BLE001  kept with its reason, never lost
                self._set_aside(event, delivery, error)

    def _handle_alone(self, event: Received, delivery: Delivery) -> None:
        for _ in range(2):
            try:
                return self.handle_together([(event, delivery)])
            except PASSING:
                continue
        return self.handle_together([(event, delivery)])

    def _set_aside(self, event: Received, delivery: Delivery, error: Exception) -> None:
        log.error("event_deferred", error=error, queue=self.queue, event_id=event.id)
        self.set_aside(event, delivery, reason=_reason(error), parked=_is_final(error), attempts=1)

    def set_aside(
        self, event: Received, delivery: Delivery, *, reason: str, parked: bool, attempts: int
    ) -> None:
        with self.workplace.begin() as work:
            if not inbox.take_first_deliveries(work.connection, self.queue, [event]):
                return
            deferred.set_aside(
                work.connection,
                self.queue,
                event,
                delivery,
                reason=reason,
                now=work.now,
                not_before=work.now + deferred.delay_after(attempts),
                parked=parked,
                attempts=attempts,
            )
        metrics.EVENTS.labels(self.queue, "parked" if parked else "deferred").inc()

    def _place(
        self,
        event: Received,
        delivery: Delivery,
        position: Position,
        work: Work,
        answers: Mapping[UUID, Any],
    ) -> str:
        """Handle the event if it is its turn, else drop or keep it; say which."""
        standing = position.standing(event)
        if standing is Standing.PAST:
            return "duplicate"
        if standing is Standing.BEYOND:
            kept = deferred.kept_between(work.connection, self.queue, event, position)
            missing = event.sequence - position.sequence - 1 - kept
            if missing or not self._overtakes(event):
                reason = deferred.GAP if missing else deferred.BEHIND
                deferred.set_aside(
                    work.connection,
                    self.queue,
                    event,
                    delivery,
                    reason=reason,
                    now=work.now,
                    not_before=work.now,
                )
                return "deferred"
            deferred.supersede(work.connection, self.queue, event, work.now)
        return self._call(event, work, answers)

    def _overtakes(self, event: Received) -> bool:
        consumed = self.by_type.get(event.type)
        return consumed is not None and consumed.overtakes

    def _call(self, event: Received, work: Work, answers: Mapping[UUID, Any]) -> str:
        consumed = self.by_type.get(event.type)
        if consumed is None:
            return "skipped"
        try:
            data = self.schemas[event.type].load(event.data)
        except ValidationError as error:
            raise Refused(_problems(error)) from None
        work.received = event
        work.answer = answers.get(event.id)
        try:
            consumed.handler(data, work)
        finally:
            work.received = work.answer = None
        return "handled"

    def _ask(self, received: Sequence[Received]) -> dict[UUID, Any]:
        answers: dict[UUID, Any] = {}
        for consumed in self.consumed:
            asking = [event for event in received if event.type == consumed.type]
            if consumed.asks and asking:
                answers.update(consumed.asks(asking, self.directory))
        return answers


@dataclass
class QueueLoop:
    """Fetches one queue in batches and acknowledges what was committed."""

    handling: Handling
    batch_size: int

    @property
    def name(self) -> str:
        return f"consume {self.handling.queue}"

    def run(self, stopping: Callable[[], bool]) -> None:
        """Consume until told to stop; raises when the broker or the database is lost."""
        url = self.handling.workplace.settings.broker
        with open_connection(url, self.handling.queue) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            channel.basic_qos(0, self.batch_size * 2, False)
            waiting: list[Any] = []
            channel.basic_consume(
                self.handling.queue, callback=waiting.append, on_cancel=_queue_deleted
            )
            while not stopping():
                self._fetch(connection, waiting)
                if waiting:
                    batch, waiting[:] = waiting[: self.batch_size], waiting[self.batch_size :]
                    self._handle(batch)
                    channel.basic_ack(batch[-1].delivery_info["delivery_tag"], multiple=True)
                connection.heartbeat_check()

    def _fetch(self, connection: Any, waiting: list[Any]) -> None:
        """Wait up to half a second for a first delivery, then take what is already there."""
        patience = 0.5
        while len(waiting) < self.batch_size:
            try:
                connection.drain_events(timeout=0.001 if waiting else patience)
            except TimeoutError:
                return

    def _handle(self, batch: Sequence[Any]) -> None:
        began = time.monotonic()
        together: list[Delivery] = []
        for message in batch:
            delivery = Delivery(
                headers=message.headers or {},
                content_type=message.properties.get("content_type"),
                body=bytes(message.body),
            )
            if not message.delivery_info["redelivered"]:
                together.append(delivery)
                continue
            # Whatever broke the last time must not take its neighbours along again.
            self.handling.handle(together)
            together = []
            self._handle_redelivered(delivery)
        self.handling.handle(together)
        metrics.BATCH_SECONDS.labels(self.handling.queue).observe(time.monotonic() - began)

    def _handle_redelivered(self, delivery: Delivery) -> None:
        if int(delivery.headers.get("x-delivery-count") or 0) < SUSPECT_DELIVERIES:
            return self.handling.handle([delivery])
        try:
            event = events.read(delivery.headers, delivery.content_type, delivery.body)
        except UnreadableEvent:
            return self.handling.handle([delivery])
        return self.handling.set_aside(
            event,
            delivery,
            reason="delivered repeatedly without an answer",
            parked=False,
            attempts=0,
        )


@dataclass
class RetryLoop:
    """Tries again what was set aside, each aggregate in order."""

    handlings: Mapping[str, Handling]
    name: str = "retry deferred"

    def run(self, stopping: Callable[[], bool]) -> None:
        workplace = next(iter(self.handlings.values())).workplace
        while not stopping():
            with workplace.begin() as work:
                found = deferred.due(work.connection, list(self.handlings), work.now)
                queues = _queues_of(work, found)
            for deferred_id in found:
                if stopping():
                    return
                self.handlings[queues[deferred_id]].retry(deferred_id)
            if not found:
                time.sleep(0.25)


def _queues_of(work: Work, deferred_ids: Sequence[int]) -> dict[int, str]:
    query = "SELECT id, consumer FROM deferred WHERE id = ANY (%s)"
    rows = work.connection.execute(query, (list(deferred_ids),))
    return {row["id"]: row["consumer"] for row in rows}


def _queue_deleted(_tag: str) -> None:
    raise ConnectionError("the broker ended the subscription: the queue is gone")


def _is_final(error: Exception) -> bool:
    return isinstance(error, UnreadableEvent | Refused | DomainError)


def _reason(error: Exception) -> str:
    """Say what went wrong in words that hold no value of the event."""
    if isinstance(error, Refused | UnreadableEvent):
        return f"unreadable: {error}"
    if isinstance(error, DomainError):
        return f"refused: {error.slug}"
    if isinstance(error, OwnerAway):
        return "owner away"
    return f"error: {_code(error)}"


def _code(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _problems(error: ValidationError) -> str:
    """Field names and what is wrong with them; marshmallow's sentences quote no values."""
    messages = error.normalized_messages()
    return "; ".join(f"{name}: {_flat(problem)}" for name, problem in sorted(messages.items()))


def _flat(problem: Any) -> str:
    if isinstance(problem, dict):
        return ", ".join(
            f"{name} {_flat(inner)}" for name, inner in sorted(problem.items(), key=str)
        )
    if isinstance(problem, list):
        return " ".join(map(str, problem))
    return str(problem)
