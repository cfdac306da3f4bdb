"""Add events to the transaction that caused them, numbered per aggregate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

from services.chassis.bodies import Body
from services.chassis.database import Connection
from services.chassis.events import Event, version_of

WAKE_RELAY = "outbox"


@dataclass(frozen=True, kw_only=True)
class Emitted:
    """An event that leaves if its transaction commits; in older versions as well, if there are."""

    event: Event
    older: Sequence[Event] = ()
    org: UUID | None
    clinic_org: UUID | None
    occurred_at: datetime
    traceparent: str | None

    @property
    def versions(self) -> Sequence[Event]:
        """The newest first: a consumer takes the first that it handles, and that knows most."""
        return (self.event, *self.older)

    @property
    def version_names(self) -> str | None:
        if not self.older:
            return None
        return ",".join(version_of(one.type) for one in self.versions)

    @property
    def aggregate(self) -> str:
        return self.event.type.split(".", 1)[0]

    @property
    def aggregate_id(self) -> UUID:
        subject: UUID = getattr(self.event, self.event.subject)
        return subject


# Columns of a new row as it is sent, and their types; `later` counts the events of the same
# stream that follow it here.
_NEW: Final[Mapping[str, str]] = {
    "event_id": "uuid",
    "type": "text",
    "versions": "text",
    "aggregate": "text",
    "aggregate_id": "uuid",
    "later": "bigint",
    "org_id": "uuid",
    "clinic_org_id": "uuid",
    "traceparent": "text",
    "occurred_at": "timestamptz",
    "body": "bytea",
}
_STORE: Final = """
          WITH new AS MATERIALIZED (
        SELECT *
          FROM {source}
            AS new ({columns}, place)),
               numbered AS (
        INSERT INTO streams (aggregate_id, aggregate, sequence)
        SELECT aggregate_id, aggregate, 1 + max(later)
          FROM new
         GROUP BY aggregate_id, aggregate
         ORDER BY aggregate_id, aggregate
            ON CONFLICT (aggregate_id, aggregate) DO UPDATE
           SET sequence = streams.sequence + excluded.sequence
        RETURNING aggregate_id, aggregate, sequence),
               stored AS (
        INSERT INTO outbox (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                            org_id, clinic_org_id, traceparent, occurred_at, body)
        SELECT event_id, type, versions, aggregate, aggregate_id, (SELECT max(epoch) FROM epochs),
               sequence - later, org_id, clinic_org_id, traceparent, occurred_at, body
          FROM new JOIN numbered USING (aggregate_id, aggregate)
         ORDER BY place)
        SELECT pg_notify(%s, '')
"""
# Up to so many rows go value by value. An array a column, which psycopg builds in Python, costs
# less than so many single values only with more of them.
_FEW: Final = 6


def store(connection: Connection, bodies: Mapping[type, Body], emitted: Sequence[Emitted]) -> None:
    """Write the events in order; the streams' row locks are held before a position is drawn.

    So for one aggregate the order of positions, of numbers and of commits is the same. Streams are
    locked in the order of their ids, so that two transactions cannot wait for each other.
    """
    rows = _rows(bodies, emitted)
    if len(rows) <= _FEW:
        values: list[Any] = [value for row in rows for value in row]
    else:
        values = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(_statement(len(rows) if len(rows) <= _FEW else 0), (*values, WAKE_RELAY))


def _rows(bodies: Mapping[type, Body], emitted: Sequence[Emitted]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    later: Counter[tuple[UUID, str]] = Counter()
    for one in reversed(emitted):
        stream = (one.aggregate_id, one.aggregate)
        event_id = uuid4()
        rows += [
            (
                event_id,
                event.type,
                one.version_names,
                one.aggregate,
                one.aggregate_id,
                later[stream],
                one.org,
                one.clinic_org,
                one.traceparent,
                one.occurred_at,
                bodies[type(event)].of(event),
            )
            for event in reversed(one.versions)
        ]
        later[stream] += 1
    return rows[::-1]


@cache
def _statement(count: int) -> bytes:
    """Write `count` rows given value by value, or with 0 any number given as arrays."""
    if count:
        row = ", ".join(f"%b::{kind}" for kind in _NEW.values())
        source = f"(VALUES {', '.join(f'({row}, {place})' for place in range(count))})"
    else:
        source = f"unnest({', '.join(f'%b::{kind}[]' for kind in _NEW.values())}) WITH ORDINALITY"
    return _STORE.format(source=source, columns=", ".join(_NEW)).encode()


def notify(connection: Connection, channel: str) -> None:
    """Wake whoever listens when this transaction commits; only a hint, polling is the truth."""
    connection.execute("SELECT pg_notify(%s, '')", (channel,))


def send_again(connection: Connection, aggregate_id: UUID, first: int, last: int) -> int:
    """Put sent events of an aggregate back into the outbox under their old ids and numbers."""
    query = """
        INSERT INTO outbox (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                            org_id, clinic_org_id, traceparent, occurred_at, body)
        SELECT event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
               org_id, clinic_org_id, traceparent, occurred_at, body
          FROM outbox_sent
         WHERE aggregate_id = %s AND sequence BETWEEN %s AND %s
         ORDER BY sequence, array_position(string_to_array(versions, ','), split_part(type, '.', 3))
            ON CONFLICT (event_id, type) DO NOTHING
    """
    count = connection.execute(query, (aggregate_id, first, last)).rowcount
    if count:
        notify(connection, WAKE_RELAY)
    return count


def send_these_again(connection: Connection, event_ids: Sequence[UUID]) -> int:
    """Put events that were sent back into the outbox, by their ids; return how many."""
    query = """
        INSERT INTO outbox (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                            org_id, clinic_org_id, traceparent, occurred_at, body)
        SELECT event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
               org_id, clinic_org_id, traceparent, occurred_at, body
          FROM outbox_sent
         WHERE event_id = ANY (%s)
         ORDER BY aggregate_id, epoch, sequence,
                  array_position(string_to_array(versions, ','), split_part(type, '.', 3))
            ON CONFLICT (event_id, type) DO NOTHING
    """
    count = connection.execute(query, (list(event_ids),)).rowcount
    if count:
        notify(connection, WAKE_RELAY)
    return count


def sent(
    connection: Connection,
    aggregates: Sequence[str],
    *,
    since: datetime | None,
    after: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Identifiers of what was sent and is not about to be sent again, in the order of ids."""
    query = """
        SELECT DISTINCT ON (event_id) event_id, type, aggregate_id, epoch, sequence, sent_at
          FROM outbox_sent
         WHERE aggregate = ANY (%s) AND (%s::timestamptz IS NULL OR sent_at >= %s)
           AND (%s::uuid IS NULL OR event_id > %s)
           AND NOT EXISTS (SELECT FROM outbox WHERE outbox.event_id = outbox_sent.event_id)
         ORDER BY event_id, type
         LIMIT %s
    """
    values = (list(aggregates), since, since, after, after, limit)
    return connection.execute(query, values).fetchall()
