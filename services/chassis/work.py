"""One transaction of a service: a handler's writes, and the events that leave if it commits."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid4

import psycopg

from services.chassis import outbox
from services.chassis.bodies import Body
from services.chassis.database import Connection, Database, act_for
from services.chassis.events import Event, Received
from services.chassis.log import get_log
from services.chassis.pulse import beat

if TYPE_CHECKING:
    from services.chassis.http.request import Caller
    from services.chassis.service import Service
    from services.chassis.settings import Settings

log = get_log(__name__)

Clock = Callable[[], datetime]
T = TypeVar("T")


def system_clock() -> datetime:
    """The one place where a service reads the time of day."""
    return datetime.now(UTC)


@dataclass
class Work:
    """What a handler acts through; `now` is the only clock it knows."""

    connection: Connection
    now: datetime
    bodies: Mapping[type, Body]
    settings: "Settings"
    orgs: set[UUID] = field(default_factory=set)
    caller: "Caller | None" = None
    received: Received | None = None
    answer: Any = None
    traceparent: str | None = None
    emitted: list[outbox.Emitted] = field(default_factory=list)
    kept: dict[type, Any] = field(default_factory=dict)

    def emit(
        self,
        event: Event,
        *,
        org: UUID | None,
        clinic_org: UUID | None = None,
        older: Sequence[Event] = (),
        cause: Received | None = None,
    ) -> None:
        """Have the event leave when this transaction commits.

        `older` are the same event in versions that some consumer still reads, the newest first.
        A handler of runs says which event is the `cause`; others have one at a time.
        """
        cause = cause or self.received
        traceparent = cause.traceparent if cause else self.traceparent
        self.emitted.append(
            outbox.Emitted(
                event=event,
                older=older,
                org=org,
                clinic_org=clinic_org,
                occurred_at=self.now,
                traceparent=traceparent,
            )
        )

    def act_for(self, orgs: Iterable[UUID]) -> None:
        """Also see the rows of these organisations, until the transaction ends."""
        more = set(orgs) - self.orgs
        if more:
            self.orgs |= more
            act_for(self.connection, self.orgs)

    def act_for_all(self, kind: str | None = None) -> None:
        """Also see the rows of every organisation, or of every one of a kind."""
        query = "SELECT id FROM organisations WHERE kind = coalesce(%s, kind)"
        self.act_for(row["id"] for row in self.connection.execute(query, (kind,)))

    def disclose(
        self,
        *,
        recipient: str,
        purpose: str,
        org: UUID,
        subject_ids: Iterable[UUID],
        fields: Iterable[str],
        daily: bool = False,
    ) -> None:
        """Record that these facts of these people were given away.

        `daily` is for what the same person looks at again and again: once in 24 hours is enough.
        """
        query = """
            INSERT INTO disclosures (org_id, subject_id, recipient, purpose, fields, disclosed_at)
            SELECT %(org)s, subject_id, %(recipient)s, %(purpose)s, %(fields)s, %(now)s
              FROM unnest(%(subjects)s::uuid[]) AS subject_id
             WHERE NOT %(daily)s
                OR NOT EXISTS (SELECT FROM disclosures AS before
                                WHERE before.subject_id = subject_id.subject_id
                                  AND before.recipient = %(recipient)s
                                  AND before.fields = %(fields)s
                                  AND before.disclosed_at > %(now)s - interval '24 hours')
        """
        values = {
            "org": org,
            "recipient": recipient,
            "purpose": purpose,
            "fields": sorted(fields),
            "now": self.now,
            "subjects": list(subject_ids),
            "daily": daily,
        }
        self.connection.execute(query, values)

    def each(self, rows: Iterable[T], act: Callable[[T], object]) -> int:
        """Act on every row by itself; what one of them breaks is undone and told, the rest stays.

        For timers: they meet the same rows again, so a bad one must not stop all that are due.
        """
        done = 0
        for row in rows:
            beat()
            orgs, emitted = set(self.orgs), len(self.emitted)
            try:
                with self.connection.transaction():
                    act(row)
                done += 1
            except psycopg.OperationalError:
                raise  # nothing more can be done on this connection, or not now
            except Exception as error:  # noqa: BLE001  kept for the next time, and told
                self.orgs = orgs
                del self.emitted[emitted:]
                log.error("row_left_undone", error=error, row_id=getattr(row, "id", None))
        return done

    def memory(self, type_: type[T]) -> T:
        """The process's one object of this type, for what is costly to read in every transaction.

        It outlives the transaction also when that is undone, and others use it at the same time.
        """
        if type_ not in self.kept:
            self.kept.setdefault(type_, type_())
        found: T = self.kept[type_]
        return found

    def notify(self, channel: str) -> None:
        """Wake the loops that listen on the channel, once this commits."""
        outbox.notify(self.connection, channel)

    def new_id(self) -> UUID:
        return uuid4()

    def store_events(self) -> None:
        """Write what was emitted; the transaction's last statements."""
        if self.emitted:
            outbox.store(self.connection, self.bodies, self.emitted)
            self.emitted = []


class Workplace:
    """What a process needs to begin work: the database, the clock, what the service publishes."""

    def __init__(
        self,
        service: "type[Service]",
        database: Database,
        settings: "Settings",
        clock: Clock = system_clock,
    ) -> None:
        self.service = service
        self.database = database
        self.settings = settings
        self.clock = clock
        self.bodies = {event: Body(schema()) for event, schema in service.publishes.items()}
        self.kept: dict[type, Any] = {}

    def on(self, connection: Connection, **facts: Any) -> Work:
        """Work on a transaction that somebody else commits."""
        return Work(connection, self.clock(), self.bodies, self.settings, kept=self.kept, **facts)

    @contextmanager
    def begin(self, orgs: Iterable[UUID] = (), **facts: Any) -> Iterator[Work]:
        """One transaction, committed with its events when the block ends well."""
        beat()
        acting = set(orgs)

        def store_events() -> None:
            work.store_events()

        with self.database.transaction(acting, last=store_events) as connection:
            work = self.on(connection, orgs=acting, **facts)
            yield work
