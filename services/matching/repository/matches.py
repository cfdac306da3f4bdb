"""Matches, one per referral and round, and their shortlists."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.matching.domain.states import State

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Match:
    """One row; `next_at` is when its owner is expected to have moved it on."""

    id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    round: int
    received_at: datetime
    state: State
    offer_id: UUID | None = None
    peer_id: UUID | None = None
    peer_organisation_id: UUID | None = None
    mode: str | None = None
    end_reason: str | None = None
    policy_version: int
    ruled_out: dict[str, int]
    openings: dict[str, int] = field(default_factory=dict)
    next_at: datetime | None
    ranked_at: datetime
    opened_at: datetime
    changed_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))


COLUMNS: Final = sql.SQL(", ").join(
    sql.SQL("matches.{}").format(sql.Identifier(column.name)) for column in fields(Match)
)


@cache
def _one_by(where: str) -> bytes:
    """Put together once: to write out so many columns takes as long as the answer."""
    query = sql.SQL("SELECT {columns} FROM matches ").format(columns=COLUMNS) + sql.SQL(where)
    return query.as_bytes(None)


with_ids: Final = partial(json.dumps, default=str)


@dataclass(frozen=True)
class Matches:
    connection: Connection

    def find(self, match_id: UUID) -> Match | None:
        return self._one("WHERE id = %s", match_id)

    def lock(self, match_id: UUID) -> Match | None:
        return self._one("WHERE id = %s FOR UPDATE", match_id)

    def lock_all(self, match_ids: Iterable[UUID]) -> list[Match]:
        """Those that exist, locked in the order in which everybody locks several."""
        query = sql.SQL(
            "SELECT {columns} FROM matches WHERE id = ANY (%b) ORDER BY id FOR UPDATE"
        ).format(columns=COLUMNS)
        return self._cursor().execute(query, (list(match_ids),)).fetchall()

    def lock_open(self, referral_id: UUID) -> Match | None:
        """The open round; one that ended while we waited for its lock may have a next one.

        That next one is younger than the first look, so a second look finds it.
        """
        where = "WHERE referral_id = %s AND state <> 'ended' FOR UPDATE"
        return self._one(where, referral_id) or self._one(where, referral_id)

    def latest(self, referral_id: UUID) -> Match | None:
        return self._one("WHERE referral_id = %s ORDER BY round DESC LIMIT 1", referral_id)

    def lock_latest(self, referral_id: UUID) -> Match | None:
        where = "WHERE referral_id = %s ORDER BY round DESC LIMIT 1 FOR UPDATE"
        return self._one(where, referral_id)

    def _one(self, where: str, key: UUID) -> Match | None:
        return self._cursor().execute(_one_by(where), (key,)).fetchone()

    def _cursor(self) -> Cursor[Match]:
        return self.connection.cursor(row_factory=class_row(Match))

    def last_round(self, referral_id: UUID) -> int:
        query = "SELECT max(round) AS round FROM matches WHERE referral_id = %s"
        row = self.connection.execute(query, (referral_id,)).fetchone()
        return int(row["round"] or 0) if row else 0

    def open(self, match: Match) -> None:
        query = """
            INSERT INTO matches (id, referral_id, client_id, clinic_id, round, received_at, state,
                                 policy_version, ruled_out, openings, next_at, ranked_at,
                                 opened_at, changed_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """
        self.connection.execute(
            query,
            (
                match.id,
                match.referral_id,
                match.client_id,
                match.clinic_id,
                match.round,
                match.received_at,
                match.state,
                match.policy_version,
                Jsonb(match.ruled_out),
                Jsonb(match.openings),
                match.next_at,
                match.ranked_at,
                match.opened_at,
                match.changed_at,
            ),
        )

    def store(self, match: Match) -> bool:
        """Write the row if nobody changed it since it was read, and raise its version."""
        query = """
            UPDATE matches
               SET client_id = %(client_id)s, state = %(state)s, offer_id = %(offer_id)s,
                   peer_id = %(peer_id)s, peer_organisation_id = %(peer_organisation_id)s,
                   mode = %(mode)s, end_reason = %(end_reason)s,
                   policy_version = %(policy_version)s, ruled_out = %(ruled_out)s,
                   openings = %(openings)s, next_at = %(next_at)s, ranked_at = %(ranked_at)s,
                   changed_at = %(changed_at)s, version = version + 1
             WHERE id = %(id)s AND version = %(version)s
        """
        given = {
            **vars(match),
            "ruled_out": Jsonb(match.ruled_out),
            "openings": Jsonb(match.openings),
        }
        return bool(self.connection.execute(query, given).rowcount)

    def step(self, matches: Sequence[Match]) -> int:
        """Write where several stand now, each under its next version.

        How many were written: all that nobody changed since they were read.
        """
        query = """
            UPDATE matches
               SET state = new.state, next_at = new.next_at, changed_at = new.changed_at,
                   version = new.version
              FROM unnest(%b::uuid[], %b::integer[], %b::text[], %b::timestamptz[],
                          %b::timestamptz[]) AS new (id, version, state, next_at, changed_at)
             WHERE matches.id = new.id AND matches.version = new.version - 1
        """
        columns = ("id", "version", "state", "next_at", "changed_at")
        given = [[getattr(match, name) for match in matches] for name in columns]
        return self.connection.execute(query, given).rowcount

    def note_ranking(self, match: Match) -> None:
        """Ranked again with the same shortlist, perhaps among other peers.

        The version stays: what a coordinator does with the shortlist they see is as good as before.
        """
        query = """
            UPDATE matches
               SET ranked_at = %s, policy_version = %s, ruled_out = %s, openings = %s
             WHERE id = %s
        """
        counts = (Jsonb(match.ruled_out), Jsonb(match.openings))
        self.connection.execute(query, (match.ranked_at, match.policy_version, *counts, match.id))

    def by_ids(self, ids: Iterable[UUID]) -> list[Match]:
        query = sql.SQL("SELECT {columns} FROM matches WHERE id = ANY (%s)").format(columns=COLUMNS)
        return self._cursor().execute(query, (list(ids),)).fetchall()

    def lock_unanswered(self, now: datetime, limit: int) -> list[Match]:
        query = sql.SQL(
            """
            SELECT {columns}
              FROM matches
             WHERE state IN ('offered', 'chosen') AND next_at < %s
             ORDER BY next_at
             LIMIT %s
               FOR UPDATE SKIP LOCKED
            """
        ).format(columns=COLUMNS)
        return self._cursor().execute(query, (now, limit)).fetchall()

    def lock_waiting_since(
        self, changed_at: datetime, policy_version: int, limit: int
    ) -> list[Match]:
        """Ranked before the peers last changed, with nobody to be offered; or by another policy."""
        query = sql.SQL(
            """
            SELECT {columns}
              FROM matches
             WHERE ranked_at < %s AND (
                       state = 'waiting'
                       OR state = 'shortlisted' AND policy_version <> %s
                       OR state = 'shortlisted' AND NOT EXISTS (
                           SELECT FROM shortlisted_peers
                             JOIN peers ON peers.id = shortlisted_peers.peer_id
                            WHERE shortlisted_peers.match_id = matches.id
                              AND peers.state = 'active' AND NOT peers.away
                              AND places_taken < capacity
                       )
                   )
             ORDER BY ranked_at
             LIMIT %s
               FOR UPDATE OF matches SKIP LOCKED
            """
        ).format(columns=COLUMNS)
        return self._cursor().execute(query, (changed_at, policy_version, limit)).fetchall()

    def waiting(
        self,
        clinics: Iterable[UUID],
        states: Sequence[State],
        after: tuple[datetime, UUID] | None,
        limit: int,
        *,
        received_before: datetime | None = None,
    ) -> list[Row]:
        """Oldest waiting date first, whatever the round."""
        received_at, last = after or (None, None)
        query = sql.SQL(
            """
            SELECT {columns}, needs.accepted, needs.paused,
                   (SELECT count(*) FROM shortlisted_peers WHERE match_id = matches.id)
                       AS shortlisted_peers
              FROM matches
              JOIN needs ON needs.referral_id = matches.referral_id
             WHERE matches.clinic_id = ANY (%(clinics)s)
               AND state = ANY (%(states)s)
               AND (%(received_before)s::timestamptz IS NULL
                    OR matches.received_at < %(received_before)s)
               AND (%(last)s::uuid IS NULL
                    OR (matches.received_at, matches.id) > (%(received_at)s, %(last)s))
             ORDER BY matches.received_at, matches.id
             LIMIT %(limit)s
            """
        ).format(columns=COLUMNS)
        given = {
            "clinics": list(clinics),
            "states": [str(state) for state in states],
            "received_at": received_at,
            "last": last,
            "limit": limit,
            "received_before": received_before,
        }
        return self.connection.execute(query, given).fetchall()

    def count_who_speak(self, languages: Sequence[str], *, at_most: int) -> int:
        """How many have nobody yet, of these languages or of any; nobody counts further."""
        query = """
            SELECT count(*) AS found
              FROM (SELECT FROM matches JOIN needs USING (referral_id)
                     WHERE matches.state IN ('waiting', 'shortlisted') AND NOT needs.paused
                       AND (%(all)s OR EXISTS (
                           SELECT FROM unnest(needs.languages) AS spoken
                            WHERE lower(split_part(spoken, '-', 1)) = ANY (%(languages)s)))
                     LIMIT %(at_most)s) AS counted
        """
        given = {"all": not languages, "languages": list(languages), "at_most": at_most}
        row = self.connection.execute(query, given).fetchone()
        return row["found"] if row else 0

    def count_waiting(
        self,
        clinics: Iterable[UUID],
        states: Sequence[State],
        *,
        at_most: int,
        received_before: datetime | None = None,
    ) -> int:
        """How many are in these states; nobody counts beyond `at_most`."""
        query = """
            SELECT count(*) AS found
              FROM (SELECT FROM matches
                     WHERE clinic_id = ANY (%(clinics)s)
                       AND state = ANY (%(states)s)
                       AND state IN ('waiting', 'shortlisted', 'offered', 'chosen')
                       AND (%(received_before)s::timestamptz IS NULL
                            OR received_at < %(received_before)s)
                     LIMIT %(at_most)s) AS counted
        """
        given = {
            "clinics": list(clinics),
            "states": [str(state) for state in states],
            "received_before": received_before,
            "at_most": at_most,
        }
        row = self.connection.execute(query, given).fetchone()
        return row["found"] if row else 0


@dataclass(frozen=True)
class Shortlists:
    connection: Connection

    def clear(self, match_id: UUID) -> None:
        self.connection.execute("DELETE FROM shortlisted_peers WHERE match_id = %s", (match_id,))

    def add(self, match: Match, rows: Iterable[Row]) -> None:
        """All in one statement: sent one by one they cost more than ranking does."""
        query = """
            INSERT INTO shortlisted_peers (match_id, clinic_id, position, peer_id,
                                           peer_organisation_id, points, modes, reasons_for,
                                           reasons_against)
            SELECT %(match_id)s, %(clinic_id)s, position, peer_id, peer_organisation_id, points,
                   modes, reasons_for, reasons_against
              FROM jsonb_to_recordset(%(rows)s)
                   AS row (position integer, peer_id uuid, peer_organisation_id uuid,
                           points integer, modes text[], reasons_for jsonb, reasons_against jsonb)
        """
        given = {"match_id": match.id, "clinic_id": match.clinic_id}
        written = Jsonb(list(rows), dumps=with_ids)
        self.connection.execute(query, {**given, "rows": written})

    def of(self, match_id: UUID) -> list[Row]:
        query = """
            SELECT position, peer_id, peer_organisation_id, points, modes, reasons_for,
                   reasons_against
              FROM shortlisted_peers
             WHERE match_id = %s
             ORDER BY position
        """
        return self.connection.execute(query, (match_id,)).fetchall()
