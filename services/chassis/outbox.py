"""Add events to the transaction that caused them, numbered per aggregate."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
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


def store(connection: Connection, bodies: Mapping[type, Body], emitted: Sequence[Emitted]) -> None:
    """Write the events in order; the streams' row locks are held before a position is drawn.

    So for one aggregate the order of positions, of numbers and of commits is the same.
    """
    rows = [
        (event_id, number, one, event)
        for number, one in zip(_next_numbers(connection, emitted), emitted, strict=True)
        for event_id in (uuid4(),)
        for event in one.versions
    ]
    query = """
          WITH stored AS (
        INSERT INTO outbox (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                            org_id, clinic_org_id, traceparent, occurred_at, body)
        SELECT event_id, type, versions, aggregate, aggregate_id, (SELECT max(epoch) FROM epochs),
               sequence, org_id, clinic_org_id, traceparent, occurred_at, body
          FROM unnest(%b::uuid[], %b::text[], %b::text[], %b::text[], %b::uuid[], %b::bigint[],
                      %b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[], %b::bytea[])
               WITH ORDINALITY
            AS new (event_id, type, versions, aggregate, aggregate_id, sequence, org_id,
                    clinic_org_id, traceparent, occurred_at, body, position)
         ORDER BY position)
        SELECT pg_notify(%s, '')
    """
    connection.execute(
        query,
        (
            [event_id for event_id, *_ in rows],
            [event.type for *_, event in rows],
            [one.version_names for *_, one, _ in rows],
            [one.aggregate for *_, one, _ in rows],
            [one.aggregate_id for *_, one, _ in rows],
            [number for _, number, *_ in rows],
            [one.org for *_, one, _ in rows],
            [one.clinic_org for *_, one, _ in rows],
            [one.traceparent for *_, one, _ in rows],
            [one.occurred_at for *_, one, _ in rows],
            [bodies[type(event)].of(event) for *_, event in rows],
            WAKE_RELAY,
        ),
    )


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


def _next_numbers(connection: Connection, emitted: Sequence[Emitted]) -> list[int]:
    counts = Counter((one.aggregate_id, one.aggregate) for one in emitted)
    # Sorted, so that two transactions lock the streams they share in the same order.
    streams = sorted(counts)
    query = """
        INSERT INTO streams (aggregate_id, aggregate, sequence)
        SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bigint[])
            ON CONFLICT (aggregate_id, aggregate) DO UPDATE
           SET sequence = streams.sequence + excluded.sequence
        RETURNING aggregate_id, aggregate, sequence
    """
    rows = connection.execute(
        query,
        (
            [aggregate_id for aggregate_id, _ in streams],
            [aggregate for _, aggregate in streams],
            [counts[stream] for stream in streams],
        ),
    ).fetchall()
    last = {(row["aggregate_id"], row["aggregate"]): int(row["sequence"]) for row in rows}
    following = {stream: number - counts[stream] for stream, number in last.items()}
    numbers = []
    for one in emitted:
        stream = (one.aggregate_id, one.aggregate)
        following[stream] += 1
        numbers.append(following[stream])
    return numbers
