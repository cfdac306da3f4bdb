"""From a batch of deliveries to handlers: once each, in order per aggregate, all or nothing.

`Handling` decides and commits; `queue_loop` fetches from the broker and acknowledges afterwards.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from marshmallow import Schema, ValidationError

from services.chassis import deferred, events, inbox, metrics
from services.chassis.calls import Calls
from services.chassis.deferred import Delivery
from services.chassis.errors import DomainError, OwnerAway, UnreadableEvent
from services.chassis.events import Heard, Received
from services.chassis.inbox import Position, Standing
from services.chassis.internal import Directory
from services.chassis.log import get_log
from services.chassis.service import Consumed
from services.chassis.work import Work, Workplace

log = get_log(__name__)

OWNER_AWAY = "owner away"
# Reasons that no number of attempts ends.
PATIENT = frozenset({OWNER_AWAY, deferred.GIVEN_UP})
# Conflicts that another try right away may not meet again.
PASSING = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)

Pair = tuple[Received, Delivery]
Asks = Callable[[Sequence[Received], Directory], Mapping[UUID, Any]]


class OtherVersion(Exception):
    """The event came in a version that is not ours, and is not known to come in another."""


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
    overtaking: list[str] = field(init=False)
    followed: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.by_type = {one.type: one for one in self.consumed}
        self.schemas = {one.type: one.schema() for one in self.consumed}
        self.overtaking = [one.type for one in self.consumed if one.overtakes]
        self.followed = {events.versionless(one.type) for one in self.consumed}

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle deliveries in order; when this returns, every one may be acknowledged.

        Raises only what means that nothing can be handled now, such as a lost database.
        """
        pairs = [
            pair for pair in filter(None, map(self._read, deliveries)) if not self._passes(pair[0])
        ]
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
            fresh, positions = inbox.begin(connection, self.queue, received)
            reached: dict[UUID, Position] = {}
            calls = Calls(work)
            for event, delivery in pairs:
                if event.id not in fresh:
                    outcomes["duplicate"] += 1
                    if event.versions:
                        self._replace_version(event, delivery, work)
                    continue
                fresh.discard(event.id)
                position = reached.get(event.subject) or positions.get(event.subject, Position())
                outcome = self._place(event, delivery, position, calls, answers)
                outcomes[outcome] += 1
                if outcome in ("handled", "skipped"):
                    reached[event.subject] = Position(event.epoch, event.sequence)
            calls.finish()
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
        if row["attempts"] > deferred.ATTEMPTS and row["reason"] not in PATIENT:
            # Its last attempts ended without a word: each may have ended the process.
            self._park_unanswered(deferred_id, row["attempts"])
            return
        delivery = Delivery(
            headers=row["headers"]["headers"],
            content_type=row["headers"]["content_type"],
            body=bytes(row["body"]),
        )
        try:
            event = events.read(delivery.headers, delivery.content_type, delivery.body)
            self._retry(deferred_id, event, is_given_up=row["reason"] == deferred.GIVEN_UP)
        except psycopg.OperationalError as error:
            if not isinstance(error, PASSING):
                raise
        except Exception as error:  # noqa: BLE001  kept with its reason, never lost
            self._postpone(deferred_id, row["attempts"], error)

    def _retry(self, deferred_id: int, event: Received, *, is_given_up: bool) -> None:
        answers = {} if is_given_up else self._ask([event])
        with self.workplace.begin(event.orgs) as work:
            if not deferred.lock_waiting(work.connection, deferred_id):
                return
            found = inbox.lock_positions(work.connection, self.queue, [event.subject])
            position = found.get(event.subject, Position())
            standing = position.standing(event)
            if standing is Standing.BEYOND:
                if self._missing(event, position, work) or not self._overtakes(event):
                    return
                deferred.supersede(work.connection, self.queue, event, work.now)
            is_late = standing is Standing.PAST
            if not is_given_up and (not is_late or self._overtakes(event)):
                calls = Calls(work)
                self._call(event, calls, answers)
                calls.finish()
            if not is_late:
                position = Position(event.epoch, event.sequence)
                inbox.store_positions(work.connection, self.queue, {event.subject: position})
            finish = deferred.skip if is_given_up else deferred.settle
            finish(work.connection, deferred_id)
        metrics.EVENTS.labels(self.queue, "handled").inc()

    def _park_unanswered(self, deferred_id: int, attempts: int) -> None:
        log.error("event_not_handled", queue=self.queue, attempts=attempts, parked=True)
        with self.workplace.begin() as work:
            reason = "tried repeatedly without an end"
            deferred.postpone(work.connection, deferred_id, reason=reason, park=True)
        metrics.EVENTS.labels(self.queue, "parked").inc()

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
        away: OwnerAway | None = None
        for event, delivery in pairs:
            if away and self._needs_asking(event):
                # To wait for the owner again and again would lose us the broker.
                self._set_aside(event, delivery, away)
                continue
            try:
                self._handle_alone(event, delivery)
            except OwnerAway as error:
                away = error
                self._set_aside(event, delivery, error)
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
        if self._passes(event):
            return
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
        calls: Calls,
        answers: Mapping[UUID, Any],
    ) -> str:
        """Handle the event if it is its turn, else drop or keep it; say which."""
        work = calls.work
        standing = position.standing(event)
        if standing is Standing.PAST:
            return self._take_late(event, calls, answers)
        if standing is Standing.BEYOND:
            missing = self._missing(event, position, work)
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
        return self._call(event, calls, answers)

    def _replace_version(self, event: Received, delivery: Delivery, work: Work) -> None:
        deferred.replace_version(
            work.connection,
            self.queue,
            event,
            delivery,
            handled=list(self.by_type),
            now=work.now,
        )

    def _take_late(self, event: Received, calls: Calls, answers: Mapping[UUID, Any]) -> str:
        """Its number was passed without it: its producer, restored, gave that to another event.

        What revokes holds all the same.
        """
        log.warning("event_late", queue=self.queue, event_id=event.id, epoch=event.epoch)
        if self._overtakes(event):
            self._call(event, calls, answers)
        return "late"

    def _needs_asking(self, event: Received) -> bool:
        consumed = self.by_type.get(event.type)
        return consumed is not None and consumed.asks is not None

    def _missing(self, event: Received, position: Position, work: Work) -> int:
        """How many events before this one never came: neither handled nor kept here."""
        kept = deferred.kept_between(work.connection, self.queue, event, position)
        return event.sequence - position.sequence - 1 - kept

    def _overtakes(self, event: Received) -> bool:
        consumed = self.by_type.get(event.type)
        return consumed is not None and consumed.overtakes

    def _passes(self, event: Received) -> bool:
        """Tell a version for others, of an event that comes in one of ours as well.

        It leaves no trace: the inbox knows an event by its id, and ours has the same.
        """
        passes = event.type not in self.by_type and any(one in self.by_type for one in event.types)
        if passes:
            metrics.EVENTS.labels(self.queue, "passed").inc()
        return passes

    def _call(self, event: Received, calls: Calls, answers: Mapping[UUID, Any]) -> str:
        consumed = self.by_type.get(event.type)
        if consumed is None:
            if events.versionless(event.type) in self.followed:
                raise OtherVersion
            return "skipped"
        try:
            data = self.schemas[event.type].load(event.data)
        except ValidationError as error:
            raise Refused(_problems(error)) from None
        calls.add(consumed, Heard(event, data, answers.get(event.id)))
        return "handled"

    def _ask(self, received: Sequence[Received]) -> dict[UUID, Any]:
        """Ask once for the whole batch, also where several types ask the same."""
        asking: dict[Asks, list[Received]] = {}
        for event in received:
            consumed = self.by_type.get(event.type)
            if consumed and consumed.asks:
                asking.setdefault(consumed.asks, []).append(event)
        answers: dict[UUID, Any] = {}
        for asks, events_of in asking.items():
            answers.update(asks(events_of, self.directory))
        return answers


def _is_final(error: Exception) -> bool:
    return isinstance(error, UnreadableEvent | Refused | DomainError)


def _reason(error: Exception) -> str:
    """Say what went wrong in words that hold no value of the event."""
    if isinstance(error, Refused | UnreadableEvent):
        return f"unreadable: {error}"
    if isinstance(error, DomainError):
        return f"refused: {error.slug}"
    if isinstance(error, OwnerAway):
        return OWNER_AWAY
    if isinstance(error, OtherVersion):
        return deferred.OTHER_VERSION
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
