"""When two who are matched last met."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from services.chassis.database import Connection
from services.matching.repository.matches import COLUMNS, Match


@dataclass(frozen=True)
class Contact:
    connection: Connection

    def note(self, when: Mapping[UUID, datetime]) -> None:
        """Later contacts count; one that is entered late changes nothing."""
        query = """
            UPDATE matches
               SET last_contact_at = greatest(last_contact_at, met.at)
              FROM unnest(%s::uuid[], %s::timestamptz[]) AS met (id, at)
             WHERE matches.id = met.id AND (last_contact_at IS NULL OR last_contact_at < met.at)
        """
        self.connection.execute(query, (list(when), list(when.values())))

    def lock_in_touch_again(self, ids: Iterable[UUID]) -> list[Match]:
        """Of these, those that had grown quiet."""
        query = sql.SQL(
            """
            SELECT {columns}
              FROM matches
             WHERE id = ANY (%s) AND quiet_at IS NOT NULL AND state IN ('confirmed', 'active')
             ORDER BY id
               FOR UPDATE
            """
        ).format(columns=COLUMNS)
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (list(ids),)).fetchall()

    def lock_quiet(self, before: datetime, now: datetime, limit: int) -> list[Match]:
        """Together, and last heard of before that moment; over absences are gone by then."""
        query = sql.SQL(
            """
            SELECT {columns}
              FROM matches
             WHERE state IN ('confirmed', 'active') AND quiet_at IS NULL
               AND greatest(last_contact_at, changed_at) < %s
               AND NOT EXISTS (SELECT FROM needs
                                WHERE needs.referral_id = matches.referral_id AND paused)
               AND NOT EXISTS (SELECT FROM absences
                                WHERE absences.peer_id = matches.peer_id AND starts_at <= %s)
             ORDER BY greatest(last_contact_at, changed_at)
             LIMIT %s
               FOR UPDATE OF matches SKIP LOCKED
            """
        ).format(columns=COLUMNS)
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (before, now, limit)).fetchall()

    def begin_quiet(self, match_id: UUID, now: datetime) -> None:
        self.connection.execute("UPDATE matches SET quiet_at = %s WHERE id = %s", (now, match_id))

    def end_quiet(self, match_id: UUID) -> None:
        self.connection.execute("UPDATE matches SET quiet_at = NULL WHERE id = %s", (match_id,))
