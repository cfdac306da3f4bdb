"""Add events to the transaction that caused them, numbered per aggregate."""

import json
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

    So for one aggregate the order of positions, of numbers and of commits is the same. Streams are
    locked in the order of their ids, so that two transactions cannot wait for each other. All goes
    as one JSON text in one statement: cheaper for one event than a round trip more, and for a
    hundred than a Python-built array for every column.
    """
    query = """
          WITH new AS MATERIALIZED (
        SELECT *
          FROM ROWS FROM (json_to_recordset(%s) AS (
                   event_id uuid, type text, versions text, aggregate text, aggregate_id uuid,
                   later bigint, org_id uuid, clinic_org_id uuid, traceparent text,
                   occurred_at timestamptz, body text)) WITH ORDINALITY
            AS new (event_id, type, versions, aggregate, aggregate_id, later, org_id,
                    clinic_org_id, traceparent, occurred_at, body, place)),
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
               sequence - later, org_id, clinic_org_id, traceparent, occurred_at,
               convert_to(body, 'UTF8')
          FROM new JOIN numbered USING (aggregate_id, aggregate)
         ORDER BY place)
        SELECT pg_notify(%s, '')
    """
    connection.execute(query, (_as_json(bodies, emitted), WAKE_RELAY))


def _as_json(bodies: Mapping[type, Body], emitted: Sequence[Emitted]) -> str:
    """A record a row of the outbox; `later` counts the events of its stream that follow here."""
    rows = []
    later: Counter[tuple[UUID, str]] = Counter()
    for one in reversed(emitted):
        stream = (one.aggregate_id, one.aggregate)
        shared = {
            "event_id": str(uuid4()),
            "versions": one.version_names,
            "aggregate": one.aggregate,
            "aggregate_id": str(one.aggregate_id),
            "later": later[stream],
            "org_id": str(one.org) if one.org else None,
            "clinic_org_id": str(one.clinic_org) if one.clinic_org else None,
            "traceparent": one.traceparent,
            "occurred_at": one.occurred_at.isoformat(),
        }
        rows += [
            {**shared, "type": event.type, "body": bodies[type(event)].of(event).decode()}
            for event in reversed(one.versions)
        ]
        later[stream] += 1
    return json.dumps(rows[::-1])


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
