"""Events set aside in the consumer's own database: waiting for another try, or parked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.chassis.events import Received, is_storable
from services.chassis.inbox import Position, store_positions

ATTEMPTS = 8
LONGEST_DELAY = timedelta(minutes=5)

# Reasons with a meaning of their own; others describe what went wrong.
GAP = "gap: an earlier event has not come"
BEHIND = "behind: an earlier event has not been handled"
OTHER_VERSION = "version: it came in one that is not handled here"
GIVEN_UP = "given up: skipped when its turn comes"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivery as it came, so that it can be read again later."""

    headers: Mapping[str, Any]
    content_type: str | None
    body: bytes

    def stored_headers(self) -> Jsonb:
        known = {
            name: value
            for name, value in self.headers.items()
            if name.startswith("cloudEvents:") and isinstance(value, str) and is_storable(value)
        }
        kind = self.content_type if is_storable(self.content_type or "") else None
        return Jsonb({"headers": known, "content_type": kind})


def delay_after(attempts: int) -> timedelta:
    """How long to wait after this many attempts: 1 s, 2 s, 4 s … five minutes."""
    return min(timedelta(seconds=2 ** max(attempts - 1, 0)), LONGEST_DELAY)


def set_aside(
    connection: Connection,
    queue: str,
    event: Received,
    delivery: Delivery,
    *,
    reason: str,
    now: datetime,
    not_before: datetime,
    parked: bool = False,
    attempts: int = 0,
) -> None:
    """Keep an event for later, in the transaction that enters it into the inbox."""
    query = """
        INSERT INTO deferred (consumer, event_id, type, aggregate_id, epoch, sequence, org_id,
                              clinic_org_id, headers, body, state, reason, attempts, not_before,
                              deferred_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (consumer, event_id) DO NOTHING
    """
    connection.execute(
        query,
        (
            queue,
            event.id,
            event.type,
            event.subject,
            event.epoch,
            event.sequence,
            event.org,
            event.clinicorg,
            delivery.stored_headers(),
            delivery.body,
            "parked" if parked else "waiting",
            reason,
            attempts,
            not_before,
            now,
        ),
    )


def replace_version(
    connection: Connection,
    queue: str,
    event: Received,
    delivery: Delivery,
    *,
    handled: Sequence[str],
    now: datetime,
) -> None:
    """Put a version that is handled here in the place of one that was set aside and is not.

    So it is after a rollback: the newer code took the newer version, and could not finish.
    """
    query = """
        UPDATE deferred
           SET type = %s, headers = %s, body = %s, state = 'waiting', reason = %s, attempts = 0,
               not_before = %s
         WHERE consumer = %s AND event_id = %s AND state IN ('waiting', 'parked')
           AND type <> ALL (%s)
    """
    stored = (event.type, delivery.stored_headers(), delivery.body, BEHIND, now)
    connection.execute(query, (*stored, queue, event.id, list(handled)))


def park_unreadable(
    connection: Connection, queue: str, delivery: Delivery, *, reason: str, now: datetime
) -> None:
    """Park what cannot even be identified; the same bytes park once.

    It stays out of the inbox, so that it cannot stand in the way of a true event whose id
    it borrowed.
    """
    attributes = sorted(
        (name, repr(value))
        for name, value in delivery.headers.items()
        # The broker's own headers count deliveries.
        if name.startswith("cloudEvents:")
    )
    digest = uuid5(NAMESPACE_OID, delivery.body.hex() + repr(attributes))
    query = """
        INSERT INTO deferred (consumer, event_id, headers, body, state, reason, not_before,
                              deferred_at)
        VALUES (%s, %s, %s, %s, 'parked', %s, %s, %s)
            ON CONFLICT (consumer, event_id) DO NOTHING
    """
    headers = delivery.stored_headers()
    connection.execute(query, (queue, digest, headers, delivery.body, reason, now, now))


def kept_between(connection: Connection, queue: str, event: Received, position: Position) -> int:
    """How many of the events between the position and this one are kept here."""
    query = """
        SELECT count(DISTINCT sequence) AS kept
          FROM deferred
         WHERE consumer = %s AND aggregate_id = %s AND state IN ('waiting', 'parked')
           AND sequence > %s AND sequence < %s
    """
    values = (queue, event.subject, position.sequence, event.sequence)
    row = connection.execute(query, values).fetchone()
    return int(row["kept"]) if row else 0


def supersede(connection: Connection, queue: str, event: Received, now: datetime) -> int:
    """Close what a terminal event overtook."""
    query = """
        UPDATE deferred
           SET state = 'superseded', decided_at = %s, decided_by = 'overtaken'
         WHERE consumer = %s AND aggregate_id = %s AND state IN ('waiting', 'parked')
           AND sequence < %s
    """
    return connection.execute(query, (now, queue, event.subject, event.sequence)).rowcount


def due(
    connection: Connection, queues: Sequence[str], now: datetime, overtaking: Sequence[str] = ()
) -> list[int]:
    """The waiting events whose time and whose turn in their aggregate have come, in order.

    What could not be identified, and was replayed, has no turn to wait for.

    It is the turn of one of an `overtaking` type as soon as all before it are at least here.
    No delay is longer than the longest: a time further away was written by a clock that was ahead.
    What was tried less often comes first: one that ends its process must not hold up others.
    """
    query = """
        SELECT deferred.id
          FROM deferred
          LEFT JOIN positions USING (consumer, aggregate_id)
         WHERE deferred.state = 'waiting'
           AND (deferred.not_before <= %s OR deferred.not_before > %s)
           AND deferred.consumer = ANY (%s)
           AND (deferred.aggregate_id IS NULL
                OR deferred.epoch < coalesce(positions.epoch, 0)
                OR deferred.sequence <= coalesce(positions.sequence, 0) + 1
                OR deferred.type = ANY (%s)
                   AND deferred.sequence - coalesce(positions.sequence, 0) - 1 = (
                       SELECT count(DISTINCT kept.sequence)
                         FROM deferred AS kept
                        WHERE kept.consumer = deferred.consumer
                          AND kept.aggregate_id = deferred.aggregate_id
                          AND kept.state IN ('waiting', 'parked')
                          AND kept.sequence > coalesce(positions.sequence, 0)
                          AND kept.sequence < deferred.sequence))
         ORDER BY deferred.attempts, deferred.aggregate_id, deferred.epoch, deferred.sequence
         LIMIT 100
    """
    parameters = (now, now + LONGEST_DELAY, list(queues), list(overtaking))
    return [row["id"] for row in connection.execute(query, parameters)]


def claim(connection: Connection, deferred_id: int, now: datetime) -> dict[str, Any] | None:
    """Count an attempt before it is made, so that an attempt that kills the process counts."""
    query = """
        UPDATE deferred
           SET attempts = attempts + 1,
               not_before = %(now)s + least(power(2, least(attempts, 20)), %(most)s)
                                      * interval '1 second'
         WHERE id = (SELECT id FROM deferred
                      WHERE id = %(id)s AND state = 'waiting'
                        AND (not_before <= %(now)s OR not_before > %(latest)s)
                        FOR UPDATE SKIP LOCKED)
        RETURNING id, consumer, headers, body, attempts, reason
    """
    values = {
        "id": deferred_id,
        "now": now,
        "latest": now + LONGEST_DELAY,
        "most": LONGEST_DELAY.total_seconds(),
    }
    return connection.execute(query, values).fetchone()


def lock_waiting(connection: Connection, deferred_id: int) -> bool:
    query = "SELECT id FROM deferred WHERE id = %s AND state = 'waiting' FOR UPDATE"
    return connection.execute(query, (deferred_id,)).fetchone() is not None


def settle(connection: Connection, deferred_id: int) -> None:
    """The event is handled; the inbox and the position remember it."""
    connection.execute("DELETE FROM deferred WHERE id = %s", (deferred_id,))


def skip(connection: Connection, deferred_id: int) -> None:
    """The turn of an event has come that an operator gave up before."""
    connection.execute("UPDATE deferred SET state = 'discarded' WHERE id = %s", (deferred_id,))


def postpone(connection: Connection, deferred_id: int, *, reason: str, park: bool) -> None:
    query = "UPDATE deferred SET reason = %s, state = %s WHERE id = %s AND state = 'waiting'"
    connection.execute(query, (reason, "parked" if park else "waiting", deferred_id))


def gaps(
    connection: Connection, queues: Sequence[str], older_than: datetime, limit: int | None = 200
) -> list[dict[str, Any]]:
    """Aggregates with an event that waits for one that never came, and which numbers lack."""
    query = """
        SELECT consumer, aggregate_id, headers, coalesce(positions.sequence, 0) + 1 AS first,
               first_kept.sequence - 1 AS last
          FROM (SELECT DISTINCT ON (consumer, aggregate_id)
                       consumer, aggregate_id, sequence, headers, deferred_at
                  FROM deferred
                 WHERE state IN ('waiting', 'parked') AND sequence IS NOT NULL
                   AND consumer = ANY (%s)
                 ORDER BY consumer, aggregate_id, epoch, sequence) AS first_kept
          LEFT JOIN positions USING (consumer, aggregate_id)
         WHERE first_kept.sequence > coalesce(positions.sequence, 0) + 1
           AND first_kept.deferred_at < %s
         ORDER BY first_kept.deferred_at
         LIMIT %s
    """
    return connection.execute(query, (list(queues), older_than, limit)).fetchall()


def other_versions(
    connection: Connection, queues: Sequence[str], older_than: datetime
) -> list[dict[str, Any]]:
    """Events that are here only in a version that is not handled, as gaps of one number each."""
    query = """
        SELECT consumer, aggregate_id, headers, sequence AS first, sequence AS last
          FROM deferred
         WHERE state = 'waiting' AND reason = %s AND consumer = ANY (%s) AND deferred_at < %s
         ORDER BY deferred_at
         LIMIT 200
    """
    return connection.execute(query, (OTHER_VERSION, list(queues), older_than)).fetchall()


# Whom a parked event concerns; without a list everybody, those that name no organisation included.
_OF_ORGS = "(%(orgs)s::uuid[] IS NULL OR org_id = ANY (%(orgs)s) OR clinic_org_id = ANY (%(orgs)s))"


def list_parked(
    connection: Connection, orgs: Collection[UUID] | None = None
) -> list[dict[str, Any]]:
    """Identifiers and reasons, no bodies; `orgs` leaves only what concerns one of these."""
    query = f"""
        SELECT id, consumer, event_id, type, aggregate_id, sequence, reason, attempts, deferred_at,
               org_id, clinic_org_id
          FROM deferred
         WHERE state = 'parked' AND {_OF_ORGS}
         ORDER BY id
    """  # noqa: S608  written above
    return connection.execute(query, {"orgs": _listed(orgs)}).fetchall()


def _listed(orgs: Collection[UUID] | None) -> list[UUID] | None:
    return None if orgs is None else list(orgs)


def show_parked(connection: Connection, deferred_id: int) -> dict[str, Any] | None:
    """One parked event with its headers and how many later ones wait behind it."""
    query = """
        SELECT parked.id, parked.consumer, parked.event_id, parked.type, parked.aggregate_id,
               parked.sequence, parked.headers, parked.reason, parked.attempts,
               parked.deferred_at, octet_length(parked.body) AS body_bytes,
               (SELECT count(*) FROM deferred AS behind
                 WHERE behind.consumer = parked.consumer
                   AND behind.aggregate_id = parked.aggregate_id
                   AND behind.sequence > parked.sequence
                   AND behind.state IN ('waiting', 'parked')) AS waiting_behind
          FROM deferred AS parked
         WHERE parked.id = %s AND parked.state = 'parked'
    """
    return connection.execute(query, (deferred_id,)).fetchone()


def replay(
    connection: Connection,
    deferred_id: int,
    *,
    by: str,
    now: datetime,
    orgs: Collection[UUID] | None = None,
) -> bool:
    """Let a parked event be tried again, with all its attempts before it."""
    query = f"""
        UPDATE deferred
           SET state = 'waiting', attempts = 0, not_before = %(now)s, decided_at = %(now)s,
               decided_by = %(by)s
         WHERE id = %(id)s AND state = 'parked' AND {_OF_ORGS}
    """  # noqa: S608  written above
    given = {"id": deferred_id, "by": by, "now": now, "orgs": _listed(orgs)}
    return connection.execute(query, given).rowcount == 1


def discard(connection: Connection, deferred_id: int, *, by: str, now: datetime) -> bool:
    """Give a parked event up; when its turn in its aggregate comes, those behind it go on."""
    query = """
        UPDATE deferred
           SET state = 'discarded', decided_at = %s, decided_by = %s
         WHERE id = %s AND state = 'parked'
        RETURNING id, consumer, aggregate_id, epoch, sequence
    """
    row = connection.execute(query, (now, by, deferred_id)).fetchone()
    if row is None:
        return False
    if row["sequence"] is not None and not _advance_past(connection, row):
        wait = "UPDATE deferred SET state = 'waiting', reason = %s, not_before = %s WHERE id = %s"
        connection.execute(wait, (GIVEN_UP, now, deferred_id))
    return True


def _advance_past(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Whether nothing before the event is still to come, so that the next may be handled."""
    aggregate_id: UUID = row["aggregate_id"]
    query = "SELECT sequence FROM positions WHERE consumer = %s AND aggregate_id = %s FOR UPDATE"
    found = connection.execute(query, (row["consumer"], aggregate_id)).fetchone()
    following = (found["sequence"] if found else 0) + 1
    if row["sequence"] == following:
        position = Position(row["epoch"], row["sequence"])
        store_positions(connection, row["consumer"], {aggregate_id: position})
    return bool(row["sequence"] <= following)
