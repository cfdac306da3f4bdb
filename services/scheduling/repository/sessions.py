"""Sessions; a row is locked before an event about it is emitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection
from services.scheduling.domain.sessions import Cause, Session, State
from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local

_SELECT = """
    SELECT id, match_id, referral_id, client_id, peer_id, clinic_id, peer_organisation_id,
           room_id, mode, starts_at, ends_at, time_zone, revision, state, cause, version
      FROM sessions
"""


@dataclass(frozen=True, kw_only=True)
class SessionFilter:
    """Which sessions a list shows; None leaves a side open."""

    served_ids: list[UUID] | None = None
    match_id: UUID | None = None
    own_as_client: UUID | None = None
    own_as_peer: UUID | None = None
    person_id: UUID | None = None
    from_: datetime | None = None
    to: datetime | None = None
    after_start: datetime | None = None
    after_id: UUID | None = None
    limit: int = 50


@dataclass(frozen=True)
class Sessions:
    connection: Connection

    def find(self, session_id: UUID) -> Session | None:
        query = f"""{_SELECT}
             WHERE id = %s
        """
        row = self.connection.execute(query, (session_id,)).fetchone()
        return _session(row) if row else None

    def find_many(self, session_ids: list[UUID]) -> list[Session]:
        query = f"""{_SELECT}
             WHERE id = ANY (%s)
             ORDER BY id
        """
        return [_session(row) for row in self.connection.execute(query, (session_ids,))]

    def lock(self, session_id: UUID) -> Session | None:
        query = f"""{_SELECT}
             WHERE id = %s
               FOR UPDATE
        """
        row = self.connection.execute(query, (session_id,)).fetchone()
        return _session(row) if row else None

    def lock_future(
        self, *, now: datetime, match_id: UUID | None = None, referral_id: UUID | None = None
    ) -> list[Session]:
        """Booked sessions of a match or a referral that have not begun, in id order."""
        query = f"""{_SELECT}
             WHERE (match_id = %s OR referral_id = %s) AND state = 'booked' AND starts_at > %s
             ORDER BY id
               FOR UPDATE
        """
        rows = self.connection.execute(query, (match_id, referral_id, now))
        return [_session(row) for row in rows]

    def booked_with(self, peer_id: UUID, during: Span) -> list[Session]:
        """The peer's booked sessions that overlap this time."""
        query = f"""{_SELECT}
             WHERE peer_id = %s AND state = 'booked' AND starts_at < %s AND ends_at > %s
             ORDER BY starts_at, id
        """
        rows = self.connection.execute(query, (peer_id, during.ends_at, during.starts_at))
        return [_session(row) for row in rows]

    def lock_many(self, session_ids: Sequence[UUID]) -> list[Session]:
        """In id order."""
        query = f"""{_SELECT}
             WHERE id = ANY (%s)
             ORDER BY id
               FOR UPDATE
        """
        return [_session(row) for row in self.connection.execute(query, (list(session_ids),))]

    def lock_of_those_away(self, before: datetime, now: datetime, limit: int) -> list[Session]:
        """Sessions that begin soon, although their peer said to be away then."""
        query = f"""{_SELECT}
             WHERE state = 'booked' AND starts_at > %(now)s AND starts_at <= %(before)s
               AND EXISTS (SELECT FROM leave_questions JOIN leaves ON leaves.id = leave_id
                            WHERE sessions.id = ANY (session_ids)
                              AND leaves.state = 'planned'
                              AND leaves.peer_id = sessions.peer_id
                              AND leaves.starts_at < sessions.ends_at
                              AND leaves.ends_at > sessions.starts_at)
             ORDER BY starts_at
             LIMIT %(limit)s
               FOR UPDATE OF sessions SKIP LOCKED
        """
        given = {"before": before, "now": now, "limit": limit}
        return [_session(row) for row in self.connection.execute(query, given)]

    def lock_without_outcome(self, ended_before: datetime, limit: int) -> list[Session]:
        """Sessions whose outcome nobody told, without those that somebody is changing."""
        query = f"""{_SELECT}
             WHERE state = 'booked' AND ends_at < %s
             ORDER BY ends_at
             LIMIT %s
               FOR UPDATE SKIP LOCKED
        """
        rows = self.connection.execute(query, (ended_before, limit))
        return [_session(row) for row in rows]

    def unresolved(
        self, organisation_ids: list[UUID], now: datetime, since: datetime, limit: int
    ) -> list[Session]:
        """Over, and nobody has said how it went; the longest over first."""
        query = f"""{_SELECT}
             WHERE peer_organisation_id = ANY (%s) AND ends_at > %s
               AND (state = 'unresolved' OR state = 'booked' AND ends_at < %s)
             ORDER BY ends_at, id
             LIMIT %s
        """
        rows = self.connection.execute(query, (organisation_ids, since, now, limit))
        return [_session(row) for row in rows]

    def count_without_outcome(self, ended_before: datetime) -> int:
        query = "SELECT count(*) AS found FROM sessions WHERE state = 'booked' AND ends_at < %s"
        row = self.connection.execute(query, (ended_before,)).fetchone()
        return row["found"] if row else 0

    def latest_of_referral(
        self, referral_id: UUID, organisation_ids: list[UUID], limit: int
    ) -> list[Session]:
        """Those that the organisations serve, the latest first."""
        query = f"""{_SELECT}
             WHERE referral_id = %(referral_id)s
               AND (clinic_id = ANY (%(served)s) OR peer_organisation_id = ANY (%(served)s))
             ORDER BY starts_at DESC, id DESC
             LIMIT %(limit)s
        """
        given = {"referral_id": referral_id, "served": organisation_ids, "limit": limit}
        return [_session(row) for row in self.connection.execute(query, given)]

    def page(self, wanted: SessionFilter) -> list[Session]:
        query = f"""{_SELECT}
             WHERE (%(served_ids)s::uuid[] IS NULL
                    OR clinic_id = ANY (%(served_ids)s)
                    OR peer_organisation_id = ANY (%(served_ids)s))
               AND (%(match_id)s::uuid IS NULL OR match_id = %(match_id)s)
               AND (%(own_as_client)s::uuid IS NULL OR client_id = %(own_as_client)s)
               AND (%(own_as_peer)s::uuid IS NULL OR peer_id = %(own_as_peer)s)
               AND (%(person_id)s::uuid IS NULL
                    OR peer_id = %(person_id)s OR client_id = %(person_id)s)
               AND (%(from_)s::timestamptz IS NULL OR ends_at > %(from_)s)
               AND (%(to)s::timestamptz IS NULL OR starts_at < %(to)s)
               AND (%(after_id)s::uuid IS NULL
                    OR (starts_at, id) > (%(after_start)s::timestamptz, %(after_id)s))
             ORDER BY starts_at, id
             LIMIT %(limit)s
        """
        return [_session(row) for row in self.connection.execute(query, vars(wanted))]

    def page_of_clinics(
        self,
        clinic_ids: list[UUID],
        *,
        match_id: UUID | None,
        client_id: UUID | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[Session]:
        """In the order of ids, which says nothing about time."""
        query = f"""{_SELECT}
             WHERE clinic_id = ANY (%(clinic_ids)s)
               AND (%(match_id)s::uuid IS NULL OR match_id = %(match_id)s)
               AND (%(client_id)s::uuid IS NULL OR client_id = %(client_id)s)
               AND (%(after_id)s::uuid IS NULL OR id > %(after_id)s)
             ORDER BY id
             LIMIT %(limit)s
        """
        given = {
            "clinic_ids": clinic_ids,
            "match_id": match_id,
            "client_id": client_id,
            "after_id": after_id,
            "limit": limit,
        }
        return [_session(row) for row in self.connection.execute(query, given)]

    def add(self, session: Session) -> None:
        query = """
            INSERT INTO sessions (id, match_id, referral_id, client_id, peer_id, clinic_id,
                                  peer_organisation_id, room_id, mode, starts_at, ends_at,
                                  wall_starts_at, time_zone)
            VALUES (%(id)s, %(match_id)s, %(referral_id)s, %(client_id)s, %(peer_id)s,
                    %(clinic_id)s, %(peer_organisation_id)s, %(room_id)s, %(mode)s, %(starts_at)s,
                    %(ends_at)s, %(wall_starts_at)s, %(time_zone)s)
        """
        self.connection.execute(query, _row(session))

    def change(self, session: Session) -> None:
        query = """
            UPDATE sessions
               SET peer_id = %(peer_id)s, room_id = %(room_id)s,
                   starts_at = %(starts_at)s, ends_at = %(ends_at)s,
                   wall_starts_at = %(wall_starts_at)s, time_zone = %(time_zone)s,
                   revision = %(revision)s, state = %(state)s, cause = %(cause)s,
                   version = %(version)s
             WHERE id = %(id)s
        """
        self.connection.execute(query, _row(session))

    def correct_client(self, referral_id: UUID, client_id: UUID) -> None:
        query = """
            UPDATE sessions
               SET client_id = %(client_id)s, version = version + 1
             WHERE referral_id = %(referral_id)s AND client_id <> %(client_id)s
        """
        self.connection.execute(query, {"referral_id": referral_id, "client_id": client_id})


def _session(row: dict[str, Any]) -> Session:
    cause = Cause(row["cause"]) if row["cause"] else None
    return Session(**{**row, "state": State(row["state"]), "cause": cause})


def _row(session: Session) -> dict[str, Any]:
    wall = local(session.starts_at, session.time_zone)
    return {**vars(session), "wall_starts_at": wall}
