"""Claims on time: what the database lets nobody hold twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import ExclusionViolation

from services.chassis.database import Connection
from services.scheduling.domain.sessions import Session, TimeTaken
from services.scheduling.domain.spans import Span


@dataclass(frozen=True, kw_only=True)
class Claim:
    kind: str
    resource_id: UUID
    during: Span


@dataclass(frozen=True)
class Claims:
    connection: Connection

    def queue_for(self, resource_ids: Sequence[UUID]) -> None:
        """Wait in line for these calendars until the transaction ends.

        The exclusion constraint is the guard; without a line, two who insert at once can each
        wait for the other until PostgreSQL ends one of them a second later.
        """
        query = """
            SELECT pg_advisory_xact_lock(hashtextextended(resource_id::text, 0))
              FROM unnest(%s::uuid[]) AS resource_id
        """
        self.connection.execute(query, (sorted(resource_ids),))

    def taken(self, resource_id: UUID, window: Span, besides: UUID | None = None) -> list[Span]:
        """What is claimed of a calendar, by sessions other than the one given."""
        query = """
            SELECT lower(during) AS starts_at, upper(during) AS ends_at
              FROM claims
             WHERE resource_id = %s AND during && tstzrange(%s, %s)
               AND (%s::uuid IS NULL OR session_id <> %s)
             ORDER BY 1
        """
        values = (resource_id, window.starts_at, window.ends_at, besides, besides)
        rows = self.connection.execute(query, values)
        return [Span(row["starts_at"], row["ends_at"]) for row in rows]

    def take(self, session: Session, claims: Sequence[Claim]) -> None:
        """Take all or, if any of it is taken, nothing: TimeTaken ends the transaction."""
        query = """
            INSERT INTO claims (session_id, kind, resource_id, during, clinic_id,
                                peer_organisation_id)
            SELECT %s, kind, resource_id, tstzrange(starts_at, ends_at), %s, %s
              FROM unnest(%s::text[], %s::uuid[], %s::timestamptz[], %s::timestamptz[])
                AS new (kind, resource_id, starts_at, ends_at)
             ORDER BY resource_id
        """
        values = (
            session.id,
            session.clinic_id,
            session.peer_organisation_id,
            [claim.kind for claim in claims],
            [claim.resource_id for claim in claims],
            [claim.during.starts_at for claim in claims],
            [claim.during.ends_at for claim in claims],
        )
        try:
            self.connection.execute(query, values)
        except ExclusionViolation:
            raise TimeTaken from None

    def release(self, session_ids: Sequence[UUID]) -> None:
        self.connection.execute(
            "DELETE FROM claims WHERE session_id = ANY (%s)", (list(session_ids),)
        )

    def correct_client(self, referral_id: UUID, client_id: UUID) -> None:
        """Move a referral's claims to the right client's calendar.

        TimeTaken if that client is busy then.
        """
        query = """
            UPDATE claims
               SET resource_id = %s
              FROM sessions
             WHERE sessions.id = claims.session_id
               AND sessions.referral_id = %s
               AND claims.kind = 'client'
        """
        try:
            self.connection.execute(query, (client_id, referral_id))
        except ExclusionViolation:
            raise TimeTaken from None
