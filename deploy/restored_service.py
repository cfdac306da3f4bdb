"""One service's database after a restore, brought to what was told since, before anybody uses it.

Works on any address of the database, so that it is done before the database takes its place.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from deploy.as_service import as_service
from deploy.machine.running_system import RunningSystem
from deploy.topology import declared_services
from services.chassis import deferred, restored
from services.chassis.consumer import Handling
from services.chassis.journal import Journal
from services.chassis.restored import Recollection

Row = Mapping[str, Any]

# What was told before the newest event known, or had not been heard by then, may lie back so far;
# what lay in a queue for longer is found by `kindred reconcile`.
_OVERLAP = timedelta(days=1)


@dataclass
class Gap:
    """What a restored service had forgotten, and what became of it."""

    service: str
    epoch: int = 0
    forgotten: list[Recollection] = field(default_factory=list)
    untold: int = 0  # of the forgotten ones, those that nobody had heard yet
    heard_again: Counter[str] = field(default_factory=Counter)
    parked: int = 0  # of those heard again, what could not be handled
    # Numbers that a consumer knows and no record tells more of.
    unknown: list[tuple[UUID, str, int, int]] = field(default_factory=list)
    newest: datetime | None = None  # what the database knows of, at the latest

    @property
    def lost(self) -> list[Row]:
        return [one.event for one in self.forgotten if not one.is_recalled]


@dataclass(frozen=True)
class Restoring:
    """A service's database somewhere, and what others know of the service."""

    system: RunningSystem
    service: str
    journals: Path
    admin_dsn: str
    own_dsn: str  # the same database as the service's role
    replaced_dsn: str | None = None  # what was there before, if it can still be read
    others: Mapping[str, str] = field(default_factory=dict)  # the other services' databases

    def bring_up(self) -> Gap:
        """Raise the epoch, tell the service its own events, then those of others."""
        gap = Gap(self.service)
        with psycopg.connect(self.admin_dsn, row_factory=dict_row) as connection:
            gap.newest = _newest(connection)
            since = gap.newest - _OVERLAP if gap.newest else None
            told, untold = self._told(since)
            rows = restored.forgotten(connection, told)
            epochs = [row["epoch"] for row in rows]
            known = list(self._known_by_others())
            epochs += [epoch for *_, epoch in known] + self._epochs_before()
            gap.epoch = restored.raise_epoch(connection, max(epochs, default=0))
            restored.remember(connection, rows, untold)
            gap.unknown = restored.advance(connection, [head[:3] for head in known])
            gap.untold = len(untold & {row["event_id"] for row in rows})
        with as_service(self.system, self.service, self.own_dsn) as (workplace, directory):
            with workplace.begin() as work:
                parked = len(deferred.list_parked(work.connection))
            gap.forgotten = list(restored.recall(workplace, rows))
            for queue, consumed in workplace.service.queues().items():
                handling = Handling(workplace, directory, queue, consumed)
                for producer in sorted({one.source for one in consumed}):
                    by_others = self._journal(producer, since)
                    gap.heard_again += restored.catch_up(handling, producer, by_others)
            with workplace.begin() as work:
                gap.parked = len(deferred.list_parked(work.connection)) - parked
        return gap

    def _told(self, since: datetime | None) -> tuple[list[Row], frozenset[UUID]]:
        """The service's own events in their order, and which of them never left."""
        told = list(self._journal(self.service, since))
        known = {row["event_id"] for row in told}
        untold: set[UUID] = set()
        if self.replaced_dsn:
            with psycopg.connect(self.replaced_dsn, row_factory=dict_row) as connection:
                sent = connection.execute(_SENT, (since,)).fetchall()
                waiting = connection.execute(_WAITING).fetchall()
            untold = {row["event_id"] for row in waiting} - known
            told = [row for row in sent if row["event_id"] not in known] + told
            told += [row for row in waiting if row["event_id"] in untold]
        return told, frozenset(untold)

    def _epochs_before(self) -> list[int]:
        """Those of what is replaced, though nothing may have been told in some of them."""
        if self.replaced_dsn is None:
            return []
        with psycopg.connect(self.replaced_dsn, row_factory=dict_row) as connection:
            return [row["epoch"] for row in connection.execute("SELECT epoch FROM epochs")]

    def _journal(self, service: str, since: datetime | None) -> Iterable[Row]:
        return Journal.of(self.journals, service).read(since.date() if since else None)

    def _known_by_others(self) -> Iterator[tuple[UUID, str, int, int]]:
        """How far consumers are in the service's streams: aggregate, number and epoch."""
        for consumer in declared_services():
            dsn = self.others.get(consumer.name)
            if dsn is None:
                continue
            with psycopg.connect(dsn, row_factory=dict_row) as connection:
                for queue, consumed in consumer.queues().items():
                    if consumed[0].source == self.service:
                        for row in connection.execute(_POSITIONS, (queue, queue)):
                            aggregate = consumed[0].aggregate
                            yield row["aggregate_id"], aggregate, row["sequence"], row["epoch"]


_EVENT = """
    SELECT event_id, type, versions, aggregate, aggregate_id, epoch, sequence, org_id,
           clinic_org_id, traceparent, occurred_at, body
"""
_SENT = f"""{_EVENT}
      FROM outbox_sent
     WHERE occurred_at >= coalesce(%s::timestamptz, '-infinity')
     ORDER BY occurred_at, sequence
"""
_WAITING = f"{_EVENT} FROM outbox ORDER BY position"
_POSITIONS = """
    SELECT aggregate_id, sequence, epoch FROM positions WHERE consumer = %s
     UNION ALL
    SELECT aggregate_id, sequence, epoch FROM deferred
     WHERE consumer = %s AND sequence IS NOT NULL
"""


def _newest(connection: psycopg.Connection[Any]) -> datetime | None:
    query = """
        SELECT max(occurred_at) AS at
          FROM (SELECT max(occurred_at) AS occurred_at FROM outbox
                 UNION ALL SELECT max(occurred_at) FROM outbox_sent) AS known
    """
    row = connection.execute(query).fetchone()
    return row["at"] if row else None
