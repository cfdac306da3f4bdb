"""Where a consumer stands: which events came before, and how far each aggregate has come.

Every statement is for a whole batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import DictRow

from services.chassis.database import Connection
from services.chassis.events import Received


class Standing(Enum):
    """An event against its aggregate's position."""

    PAST = "past"
    NEXT = "next"
    BEYOND = "beyond"


@dataclass(frozen=True)
class Position:
    epoch: int = 0
    sequence: int = 0

    def standing(self, event: Received) -> Standing:
        """Tell a duplicate from the next event and from one that must wait.

        A restored producer gives numbers again under a higher epoch; those are no duplicates.
        """
        if event.epoch < self.epoch:
            return Standing.PAST
        if event.sequence > self.sequence + 1:
            return Standing.BEYOND
        if event.epoch == self.epoch and event.sequence <= self.sequence:
            return Standing.PAST
        return Standing.NEXT


def take_first_deliveries(
    connection: Connection, queue: str, events: Sequence[Received]
) -> set[UUID]:
    """Enter the events and return the ids never seen before.

    The first statement of the transaction: a concurrent second delivery waits here for the
    first one's commit.
    """
    return _ids(_enter(connection, queue, events))


def begin(
    connection: Connection, queue: str, events: Sequence[Received]
) -> tuple[set[UUID], dict[UUID, Position]]:
    """Take first deliveries, then lock positions, in one exchange with the server."""
    with connection.pipeline():
        entered = _enter(connection, queue, events)
        locked = _lock(connection, queue, [event.subject for event in events])
        return _ids(entered), _positions(locked)


def _enter(connection: Connection, queue: str, events: Sequence[Received]) -> Cursor[DictRow]:
    query = """
        INSERT INTO inbox (consumer, event_id)
        SELECT %s, event_id FROM unnest(%b::uuid[]) AS event_id
            ON CONFLICT DO NOTHING
        RETURNING event_id
    """
    ids = sorted({event.id for event in events})
    return connection.execute(query, (queue, ids))


def _ids(entered: Cursor[DictRow]) -> set[UUID]:
    return {row["event_id"] for row in entered}


def lock_positions(
    connection: Connection, queue: str, aggregate_ids: Iterable[UUID]
) -> dict[UUID, Position]:
    return _positions(_lock(connection, queue, aggregate_ids))


def _lock(connection: Connection, queue: str, aggregate_ids: Iterable[UUID]) -> Cursor[DictRow]:
    query = """
        SELECT aggregate_id, epoch, sequence
          FROM positions
         WHERE consumer = %s AND aggregate_id = ANY (%b)
         ORDER BY aggregate_id
           FOR UPDATE
    """
    return connection.execute(query, (queue, list(set(aggregate_ids))))


def _positions(locked: Cursor[DictRow]) -> dict[UUID, Position]:
    return {row["aggregate_id"]: Position(row["epoch"], row["sequence"]) for row in locked}


def store_positions(connection: Connection, queue: str, positions: dict[UUID, Position]) -> None:
    query = """
        INSERT INTO positions (consumer, aggregate_id, epoch, sequence)
        SELECT %s, * FROM unnest(%b::uuid[], %b::integer[], %b::bigint[])
            ON CONFLICT (consumer, aggregate_id) DO UPDATE
           SET epoch = excluded.epoch, sequence = excluded.sequence
    """
    ids = sorted(positions)
    connection.execute(
        query,
        (
            queue,
            ids,
            [positions[one].epoch for one in ids],
            [positions[one].sequence for one in ids],
        ),
    )
