"""Peer organisations, peers and their places."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from services.chassis.database import Connection

Row = dict[str, Any]

# What a request may set; the statements below are composed from these names alone.
FACTS: Final = (
    "display_name",
    "email",
    "phone",
    "contact_key",
    "preferred_channel",
    "languages",
    "modes",
    "postal_code",
    "time_zone",
    "story",
    "topics",
    "topics_for_clients",
    "topics_for_supervisors",
    "access",
    "gender",
    "age_band",
    "certified_until",
    "cleared_for_minors",
    "state",
    "capacity",
)


class AlreadyAPeer(Exception):
    """The organisation has a peer with this e-mail address or phone number."""


@dataclass(frozen=True)
class PeerOrganisations:
    connection: Connection

    def find(self, organisation_id: UUID) -> Row | None:
        query = "SELECT id, name, time_zone, area, version FROM peer_organisations WHERE id = %s"
        return self.connection.execute(query, (organisation_id,)).fetchone()

    def lock(self, organisation_id: UUID) -> Row | None:
        query = """
            SELECT id, name, time_zone, area, version
              FROM peer_organisations
             WHERE id = %s
               FOR UPDATE
        """
        return self.connection.execute(query, (organisation_id,)).fetchone()

    def store(self, row: Mapping[str, Any]) -> int:
        """Add it, or take over what changed; returns its version."""
        query = """
            INSERT INTO peer_organisations (id, name, time_zone, area)
            VALUES (%(id)s, %(name)s, %(time_zone)s, %(area)s)
                ON CONFLICT (id) DO UPDATE
               SET name = excluded.name, time_zone = excluded.time_zone, area = excluded.area,
                   version = peer_organisations.version + 1
            RETURNING version
        """
        stored = self.connection.execute(query, row).fetchone()
        return int(stored["version"]) if stored else 0

    def areas(self) -> tuple[dict[UUID, str | None], int, int | None]:
        """Where each is, the number below which every transaction had ended, and the policy.

        All of one moment, by one statement; every ranking begins with it.
        """
        query = """
            SELECT id, area, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
                   (SELECT max(version) FROM policies) AS policy_version
              FROM peer_organisations
        """
        rows = self.connection.execute(query).fetchall()
        first: Row = rows[0] if rows else {"horizon": 0, "policy_version": None}
        areas = {row["id"]: row["area"] for row in rows}
        return areas, first["horizon"], first["policy_version"]

    def page(self, ids: Iterable[UUID] | None, after: UUID | None, limit: int) -> list[Row]:
        """In the order of ids; `ids` None means every organisation."""
        query = """
            SELECT id, name, time_zone, area
              FROM peer_organisations
             WHERE (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s))
               AND (%(after)s::uuid IS NULL OR id > %(after)s)
             ORDER BY id
             LIMIT %(limit)s
        """
        named = None if ids is None else list(ids)
        given = {"ids": named, "after": after, "limit": limit}
        return self.connection.execute(query, given).fetchall()


@dataclass(frozen=True)
class Peers:
    connection: Connection

    def add(self, row: Mapping[str, Any], now: datetime) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, FACTS))
        values = sql.SQL(", ").join(map(sql.Placeholder, FACTS))
        query = sql.SQL(
            """
            INSERT INTO peers (id, peer_organisation_id, places_limit, registered_at, updated_at,
                               {names})
            VALUES (%(id)s, %(peer_organisation_id)s, %(capacity)s, %(now)s, %(now)s, {values})
            """
        ).format(names=names, values=values)
        with _duplicates_named():
            self.connection.execute(query, {**row, "now": now})

    def change(self, row: Mapping[str, Any], now: datetime) -> None:
        """Store the facts; a smaller capacity takes no place away, it only gives out no more."""
        settings = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in FACTS
        )
        query = sql.SQL(
            """
            UPDATE peers
               SET {settings}, places_limit = greatest(%(capacity)s, places_taken),
                   contact_disputed_at = %(contact_disputed_at)s, updated_at = %(now)s,
                   version = version + 1
             WHERE id = %(id)s
            """
        ).format(settings=settings)
        with _duplicates_named():
            self.connection.execute(query, {**row, "now": now})

    def dispute_contact(self, peer_id: UUID, now: datetime) -> None:
        """Somebody else reads the peer's mail; a dispute that is open keeps its date."""
        query = """
            UPDATE peers
               SET contact_disputed_at = %s, version = version + 1
             WHERE id = %s AND contact_disputed_at IS NULL
        """
        self.connection.execute(query, (now, peer_id))

    def note_state(self, peer_id: UUID, state: str, now: datetime) -> None:
        query = "UPDATE peers SET state = %s, updated_at = %s, version = version + 1 WHERE id = %s"
        self.connection.execute(query, (state, now, peer_id))

    def find(self, peer_id: UUID) -> Row | None:
        return self._one("WHERE id = %(id)s", peer_id)

    def lock(self, peer_id: UUID) -> Row | None:
        return self._one("WHERE id = %(id)s FOR UPDATE", peer_id)

    def _one(self, where: str, peer_id: UUID) -> Row | None:
        query = sql.SQL("SELECT {columns} FROM peers ").format(columns=COLUMNS) + sql.SQL(where)
        return self.connection.execute(query, {"id": peer_id}).fetchone()

    def page(
        self, organisations: Iterable[UUID], after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Row]:
        """In the order of registration: a cursor may not hold a name."""
        registered_at, last = after or (None, None)
        query = sql.SQL(
            """
            SELECT {columns}
              FROM peers
             WHERE peer_organisation_id = ANY (%(organisations)s)
               AND (%(last)s::uuid IS NULL OR (registered_at, id) > (%(registered_at)s, %(last)s))
             ORDER BY registered_at, id
             LIMIT %(limit)s
            """
        ).format(columns=COLUMNS)
        given = {
            "organisations": list(organisations),
            "registered_at": registered_at,
            "last": last,
            "limit": limit,
        }
        return self.connection.execute(query, given).fetchall()

    def names(self, organisations: Iterable[UUID], limit: int) -> list[Row]:
        """In the order of names."""
        query = """
            SELECT id, display_name
              FROM peers
             WHERE peer_organisation_id = ANY (%s)
             ORDER BY display_name, id
             LIMIT %s
        """
        return self.connection.execute(query, (list(organisations), limit)).fetchall()

    def by_ids(self, ids: Iterable[UUID]) -> dict[UUID, Row]:
        query = sql.SQL("SELECT {columns} FROM peers WHERE id = ANY (%s)").format(columns=COLUMNS)
        rows = self.connection.execute(query, (list(ids),)).fetchall()
        return {row["id"]: row for row in rows}

    def changed(self, since: int, also: Iterable[UUID]) -> list[Row]:
        """What ranking needs of each peer changed in this transaction or a later one, `also` these.

        Since 0 is every peer; nobody is seen whose organisation the transaction does not act for.
        """
        query = """
            SELECT id, peer_organisation_id, languages, modes, postal_code, topics, access, gender,
                   age_band, certified_until, cleared_for_minors, state, away, capacity,
                   places_taken, changed_in::text::bigint AS changed_in
              FROM peers
             WHERE changed_in >= %(since)s::xid8 OR id = ANY (%(also)s)
        """
        given = {"since": str(since), "also": list(also)}
        return self.connection.execute(query, given).fetchall()

    def last_change(self) -> datetime | None:
        """Of a peer, or of the policy that they are ranked by."""
        query = """
            SELECT greatest(max(updated_at), (SELECT max(activated_at) FROM policies)) AS changed_at
              FROM peers
        """
        row = self.connection.execute(query).fetchone()
        return row["changed_at"] if row else None

    def lock_all(self, ids: Iterable[UUID]) -> None:
        """In the order of ids, so that two changes of the same peers wait, not deadlock."""
        query = "SELECT id FROM peers WHERE id = ANY (%s) ORDER BY id FOR UPDATE"
        self.connection.execute(query, (list(ids),))

    def take_place(self, peer_id: UUID, on: date) -> bool:
        """Take a place if one is free; the condition and the change are one statement."""
        query = """
            UPDATE peers
               SET places_taken = places_taken + 1
             WHERE id = %s AND places_taken < capacity AND state = 'active'
               AND certified_until >= %s
        """
        return self.connection.execute(query, (peer_id, on)).rowcount == 1

    def hold_place(self, peer_id: UUID) -> None:
        """Count a place that was given before, whether it would still be given or not."""
        query = """
            UPDATE peers
               SET places_taken = places_taken + 1,
                   places_limit = greatest(places_limit, places_taken + 1)
             WHERE id = %s
        """
        self.connection.execute(query, (peer_id,))

    def free_place(self, peer_id: UUID, now: datetime) -> None:
        query = """
            UPDATE peers
               SET places_taken = places_taken - 1,
                   places_limit = greatest(capacity, places_taken - 1), updated_at = %s
             WHERE id = %s
        """
        self.connection.execute(query, (now, peer_id))


COLUMNS: Final = sql.SQL(", ").join(
    map(
        sql.Identifier,
        (
            "id",
            "peer_organisation_id",
            "places_taken",
            "contact_disputed_at",
            "registered_at",
            "version",
            *FACTS,
        ),
    )
)


@contextmanager
def _duplicates_named() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "peers_once_per_organisation_and_contact":
            raise AlreadyAPeer from None
        raise
