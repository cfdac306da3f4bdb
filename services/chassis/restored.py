"""A database restored to an earlier moment learns what was told since: by it, and to it.

Before its processes start: the epoch is raised, the numbers given out count as given, the
service's own events are told to it again, and then those of others that it had heard.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import psycopg

from services.chassis import events
from services.chassis.consumer import Handling
from services.chassis.deferred import Delivery
from services.chassis.errors import Forgotten
from services.chassis.log import get_log
from services.chassis.reconcile import lacking
from services.chassis.service import Recalled
from services.chassis.work import Workplace

log = get_log(__name__)

Row = Mapping[str, Any]
# Of how many events the inbox is asked at once.
_PAGE = 1000
# As many as a queue's consumer takes in one transaction.
_BATCH = 100


@dataclass(frozen=True)
class Recollection:
    """What became of one event that the database had forgotten."""

    event: Row
    is_recalled: bool  # if not, it told too little to bring back what had happened


def forgotten(connection: psycopg.Connection[Any], told: Iterable[Row]) -> list[Row]:
    """Of the events told, those that the database knows nothing of, in their order.

    A number and the change that it belongs to are committed together: what lies beyond a
    stream's last number happened after the moment restored to.
    """
    heads = {
        (row["aggregate_id"], row["aggregate"]): row["sequence"]
        for row in connection.execute("SELECT aggregate_id, aggregate, sequence FROM streams")
    }
    epoch = _epoch(connection)
    return [
        row
        for row in told
        if row["epoch"] > epoch
        or row["sequence"] > heads.get((row["aggregate_id"], row["aggregate"]), 0)
    ]


def raise_epoch(connection: psycopg.Connection[Any], known: int) -> int:
    """Begin an epoch above every one that anybody knows of."""
    epoch = max(_epoch(connection), known) + 1
    connection.execute("INSERT INTO epochs (epoch) VALUES (%s)", (epoch,))
    return epoch


def remember(
    connection: psycopg.Connection[Any], rows: Sequence[Row], untold: frozenset[UUID]
) -> None:
    """Keep forgotten events so that they can be sent again; those never told are sent now."""
    keep = """
        INSERT INTO outbox_sent (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                                 org_id, clinic_org_id, traceparent, occurred_at, body, sent_at)
        VALUES (%(event_id)s, %(type)s, %(versions)s, %(aggregate)s, %(aggregate_id)s,
                %(epoch)s, %(sequence)s, %(org_id)s, %(clinic_org_id)s, %(traceparent)s,
                %(occurred_at)s, %(body)s, %(occurred_at)s)
            ON CONFLICT DO NOTHING
    """
    send = """
        INSERT INTO outbox (event_id, type, versions, aggregate, aggregate_id, epoch, sequence,
                            org_id, clinic_org_id, traceparent, occurred_at, body)
        VALUES (%(event_id)s, %(type)s, %(versions)s, %(aggregate)s, %(aggregate_id)s,
                %(epoch)s, %(sequence)s, %(org_id)s, %(clinic_org_id)s, %(traceparent)s,
                %(occurred_at)s, %(body)s)
            ON CONFLICT DO NOTHING
    """
    with connection.cursor() as cursor:
        cursor.executemany(keep, [row for row in rows if row["event_id"] not in untold])
        cursor.executemany(send, [row for row in rows if row["event_id"] in untold])
    advance(connection, [(row["aggregate_id"], row["aggregate"], row["sequence"]) for row in rows])


def advance(
    connection: psycopg.Connection[Any], heads: Sequence[tuple[UUID, str, int]]
) -> list[tuple[UUID, str, int, int]]:
    """Give no number out again that somebody knows; return those that stood back, and by what."""
    latest: dict[tuple[UUID, str], int] = {}
    for aggregate_id, aggregate, sequence in heads:
        stream = (aggregate_id, aggregate)
        latest[stream] = max(sequence, latest.get(stream, 0))
    query = """
        INSERT INTO streams (aggregate_id, aggregate, sequence)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[])
            ON CONFLICT (aggregate_id, aggregate) DO UPDATE SET sequence = excluded.sequence
         WHERE streams.sequence < excluded.sequence
        RETURNING aggregate_id, aggregate
    """
    known = {
        (row["aggregate_id"], row["aggregate"]): int(row["sequence"])
        for row in connection.execute("SELECT aggregate_id, aggregate, sequence FROM streams")
    }
    ids = [aggregate_id for aggregate_id, _ in latest]
    names = [aggregate for _, aggregate in latest]
    moved = connection.execute(query, (ids, names, list(latest.values()))).fetchall()
    streams = [(row["aggregate_id"], row["aggregate"]) for row in moved]
    return [(*stream, known.get(stream, 0) + 1, latest[stream]) for stream in streams]


def recall(workplace: Workplace, rows: Sequence[Row]) -> Iterator[Recollection]:
    """Tell the service its own events again, one transaction each, in their order.

    Of several versions it is told the newest that it recalls.
    """
    recalled = {one.type: one for one in workplace.service.declared(Recalled)}
    publishes: Mapping[Any, Any] = workplace.service.publishes
    schemas = {event.type: schema for event, schema in publishes.items()}
    for _, versions in groupby(rows, lambda row: row["event_id"]):
        told = list(versions)
        row = next((one for one in told if one["type"] in recalled), told[0])
        declared = recalled.get(row["type"])
        if declared is None:
            yield Recollection(row, is_recalled=False)
            continue
        event = events.read(
            events.headers_of(workplace.service.name, row), events.CONTENT_TYPE, row["body"]
        )
        try:
            with workplace.begin(event.orgs) as work:
                work.act_for_all()
                work.received = event
                declared.handler(schemas[row["type"]]().load(event.data), work)
                work.emitted.clear()
        except psycopg.OperationalError:
            raise
        except Forgotten:
            yield Recollection(row, is_recalled=False)
        except Exception as error:  # noqa: BLE001  told as lost; the others are still recalled
            log.error("event_not_recalled", error=error, event_id=event.id)
            yield Recollection(row, is_recalled=False)
        else:
            yield Recollection(row, is_recalled=True)


def catch_up(handling: Handling, producer: str, told: Iterable[Row]) -> Counter[str]:
    """Handle what the queue would have brought and its inbox lacks; count by type.

    In the order of each aggregate. What an owner has to be asked for while it is away waits
    in `deferred`, as it always does.
    """
    aggregates = {one.aggregate for one in handling.consumed if one.source == producer}
    followed = [row for row in told if row["aggregate"] in aggregates]
    caught: Counter[str] = Counter()
    for at in range(0, len(followed), _PAGE):
        page = followed[at : at + _PAGE]
        with handling.workplace.begin() as work:
            unheard = lacking(work.connection, handling.queue, [row["event_id"] for row in page])
        missing = [row for row in page if row["event_id"] in unheard]
        for first in range(0, len(missing), _BATCH):
            batch = missing[first : first + _BATCH]
            handling.handle([_delivery(producer, row) for row in batch])
        caught.update(row["type"] for row in missing)
    return caught


def _delivery(producer: str, row: Row) -> Delivery:
    headers = events.headers_of(producer, row)
    return Delivery(headers=headers, content_type=events.CONTENT_TYPE, body=row["body"])


def _epoch(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT max(epoch) AS epoch FROM epochs").fetchone()
    return int(row["epoch"]) if row else 0
