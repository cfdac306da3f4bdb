"""Peers' time away, and what their people would like meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import ExclusionViolation

from services.chassis.database import Connection
from services.scheduling.domain.leave import AlreadyAway, Leave, Question, State, Wish
from services.scheduling.domain.spans import Span

_LEAVE = """
    SELECT id, peer_id, peer_organisation_id, first_day, last_day, time_zone, starts_at, ends_at,
           state, version
      FROM leaves
"""
_QUESTION_COLUMNS = """
    SELECT id, leave_id, match_id, referral_id, client_id, clinic_id, peer_id,
           peer_organisation_id, session_ids, wish, told_by
"""
_QUESTION = f"""{_QUESTION_COLUMNS}
      FROM leave_questions
"""


@dataclass(frozen=True)
class Leaves:
    connection: Connection

    def add(self, leave: Leave) -> None:
        """AlreadyAway, if some of it is another leave already, ends the transaction."""
        query = """
            INSERT INTO leaves (id, peer_id, peer_organisation_id, first_day, last_day, time_zone,
                                starts_at, ends_at, state)
            VALUES (%(id)s, %(peer_id)s, %(peer_organisation_id)s, %(first_day)s, %(last_day)s,
                    %(time_zone)s, %(starts_at)s, %(ends_at)s, %(state)s)
        """
        try:
            self.connection.execute(query, vars(leave))
        except ExclusionViolation:
            raise AlreadyAway from None

    def change(self, leave: Leave) -> None:
        query = "UPDATE leaves SET state = %(state)s, version = %(version)s WHERE id = %(id)s"
        self.connection.execute(query, vars(leave))

    def find(self, leave_id: UUID) -> Leave | None:
        query = f"""{_LEAVE}
             WHERE id = %s
        """
        return self._one(query, leave_id)

    def lock(self, leave_id: UUID) -> Leave | None:
        query = f"""{_LEAVE}
             WHERE id = %s
               FOR UPDATE
        """
        return self._one(query, leave_id)

    def _one(self, query: str, leave_id: UUID) -> Leave | None:
        row = self.connection.execute(query, (leave_id,)).fetchone()
        return _leave(row) if row else None

    def of_peer(self, peer_id: UUID, since: datetime) -> list[Leave]:
        """Those that were not over then, the next one first."""
        query = f"""{_LEAVE}
             WHERE peer_id = %s AND state = 'planned' AND ends_at > %s
             ORDER BY starts_at, id
        """
        return [_leave(row) for row in self.connection.execute(query, (peer_id, since))]

    def away(self, peer_ids: Sequence[UUID], during: Span) -> dict[UUID, list[Span]]:
        """When each of them is away in this time."""
        query = """
            SELECT peer_id, starts_at, ends_at
              FROM leaves
             WHERE peer_id = ANY (%s) AND state = 'planned' AND starts_at < %s AND ends_at > %s
        """
        found: dict[UUID, list[Span]] = {}
        given = (list(peer_ids), during.ends_at, during.starts_at)
        for row in self.connection.execute(query, given):
            found.setdefault(row["peer_id"], []).append(Span(row["starts_at"], row["ends_at"]))
        return found


@dataclass(frozen=True)
class Questions:
    connection: Connection

    def add(self, question: Question) -> None:
        query = """
            INSERT INTO leave_questions (id, leave_id, match_id, referral_id, client_id, clinic_id,
                                         peer_id, peer_organisation_id, session_ids, wish, told_by)
            VALUES (%(id)s, %(leave_id)s, %(match_id)s, %(referral_id)s, %(client_id)s,
                    %(clinic_id)s, %(peer_id)s, %(peer_organisation_id)s, %(session_ids)s,
                    %(wish)s, %(told_by)s)
        """
        self.connection.execute(query, vars(question))

    def change(self, question: Question) -> None:
        query = """
            UPDATE leave_questions SET wish = %(wish)s, told_by = %(told_by)s WHERE id = %(id)s
        """
        self.connection.execute(query, vars(question))

    def find(self, question_id: UUID) -> Question | None:
        query = f"""{_QUESTION}
             WHERE id = %s
        """
        row = self.connection.execute(query, (question_id,)).fetchone()
        return _question(row) if row else None

    def of_leave(self, leave_id: UUID) -> list[Question]:
        query = f"""{_QUESTION}
             WHERE leave_id = %s
             ORDER BY id
        """
        return [_question(row) for row in self.connection.execute(query, (leave_id,))]

    def of_match(self, leave_id: UUID, match_id: UUID) -> Question | None:
        query = f"""{_QUESTION}
             WHERE leave_id = %s AND match_id = %s
        """
        row = self.connection.execute(query, (leave_id, match_id)).fetchone()
        return _question(row) if row else None

    def latest_of_match(self, match_id: UUID, now: datetime) -> Question | None:
        """About a leave that is not over, of a match that goes on: what is not answered first."""
        query = f"""{_QUESTION}
             WHERE match_id = %s
               AND EXISTS (SELECT FROM matches WHERE matches.id = match_id AND state = 'confirmed')
               AND EXISTS (SELECT FROM leaves
                            WHERE leaves.id = leave_id AND state = 'planned' AND ends_at > %s)
             ORDER BY wish IS NOT NULL, (SELECT starts_at FROM leaves WHERE leaves.id = leave_id)
             LIMIT 1
        """  # noqa: S608  only the column list is put in
        row = self.connection.execute(query, (match_id, now)).fetchone()
        return _question(row) if row else None

    def about_session(self, session_id: UUID, peer_id: UUID) -> Question | None:
        """What the session's person was asked about the leave of whoever holds it now."""
        query = f"""{_QUESTION}
             WHERE %s = ANY (session_ids) AND peer_id = %s
               AND EXISTS (SELECT FROM leaves WHERE leaves.id = leave_id AND state = 'planned')
        """
        row = self.connection.execute(query, (session_id, peer_id)).fetchone()
        return _question(row) if row else None

    def open_in(
        self,
        organisation_ids: Sequence[UUID],
        now: datetime,
        after: tuple[datetime, UUID, UUID] | None,
        limit: int,
    ) -> list[tuple[datetime, Question]]:
        """Of these peer organisations, by when the leave begins; their match goes on."""
        query = f"""{_QUESTION_COLUMNS}, open.starts_at
              FROM leave_questions
              JOIN (SELECT id AS of, starts_at FROM leaves
                     WHERE peer_organisation_id = ANY (%(served)s)
                       AND state = 'planned' AND ends_at > %(now)s) AS open ON open.of = leave_id
             WHERE EXISTS (SELECT FROM matches WHERE matches.id = match_id AND state = 'confirmed')
               AND (%(id)s::uuid IS NULL
                    OR (starts_at, leave_id, leave_questions.id)
                       > (%(from)s::timestamptz, %(leave)s::uuid, %(id)s))
             ORDER BY starts_at, leave_id, leave_questions.id
             LIMIT %(limit)s
        """  # noqa: S608  only the column list is put in
        starts_at, leave_id, last = after or (None, None, None)
        given = {
            "served": list(organisation_ids),
            "now": now,
            "from": starts_at,
            "leave": leave_id,
            "id": last,
            "limit": limit,
        }
        rows = self.connection.execute(query, given).fetchall()
        return [(row.pop("starts_at"), _question(row)) for row in rows]

    def open_of_referral(self, referral_id: UUID, now: datetime) -> list[Question]:
        query = f"""{_QUESTION}
             WHERE referral_id = %s
               AND EXISTS (SELECT FROM matches WHERE matches.id = match_id AND state = 'confirmed')
               AND EXISTS (SELECT FROM leaves
                            WHERE leaves.id = leave_id AND state = 'planned' AND ends_at > %s)
        """  # noqa: S608  only the column list is put in
        return [_question(row) for row in self.connection.execute(query, (referral_id, now))]

    def correct_client(self, referral_id: UUID, client_id: UUID) -> None:
        query = "UPDATE leave_questions SET client_id = %s WHERE referral_id = %s"
        self.connection.execute(query, (client_id, referral_id))


def _leave(row: dict[str, Any]) -> Leave:
    return Leave(**{**row, "state": State(row["state"])})


def _question(row: dict[str, Any]) -> Question:
    return Question(**{**row, "wish": Wish(row["wish"]) if row["wish"] else None})
