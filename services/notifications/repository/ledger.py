"""The delivery ledger as each reader may see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from services.chassis.database import Connection

# After that, whoever was to be told has heard of it some other way.
UNREACHED_SHOWN = timedelta(days=30)

_READABLE = """
    SELECT id, clinic_id, kind, recipient_role, recipient_id, referral_id, match_id, session_id,
           resend_of, state, reason, channel, not_before, attempts, repeats, planned_at,
           delivered_at, version
      FROM messages
     WHERE CASE %(role)s
               WHEN 'clinic' THEN clinic_id = ANY (%(orgs)s) AND recipient_role <> 'peer'
                    AND (session_id IS NULL OR recipient_role = 'clinic' AND state = 'delivered')
               WHEN 'client' THEN recipient_role = 'client' AND recipient_id = %(person_id)s
               WHEN 'peer' THEN recipient_role = 'peer' AND recipient_id = %(person_id)s
               ELSE clinic_id = ANY (%(orgs)s)
                    OR (org_id = ANY (%(orgs)s) AND recipient_role <> 'clinic')
           END
"""


@dataclass(frozen=True)
class View:
    """Whose eyes read the ledger.

    A clinic reads of its own referrals what is told to it and to its clients, but of sessions
    only what it was told: when a client's reminder is due tells the time. A peer organisation
    reads what is told to clients and peers; a person, what is told to that person.
    """

    role: str
    orgs: frozenset[UUID]
    person_id: UUID | None

    @property
    def parameters(self) -> dict[str, Any]:
        return {"role": self.role, "orgs": list(self.orgs), "person_id": self.person_id}


@dataclass(frozen=True)
class Ledger:
    connection: Connection

    def read(self, view: View, message_id: UUID) -> DictRow | None:
        query = _READABLE + " AND id = %(id)s"
        return self.connection.execute(query, {**view.parameters, "id": message_id}).fetchone()

    def unreached(self, view: View, *, now: datetime, limit: int) -> list[DictRow]:
        """What waits for staff or could not be delivered, unless sent again; oldest first."""
        query = (
            _READABLE
            + """
               AND state IN ('needs-staff', 'undeliverable') AND planned_at > %(since)s
               AND NOT EXISTS (SELECT FROM messages AS again WHERE again.resend_of = messages.id)
             ORDER BY planned_at, id
             LIMIT %(limit)s
        """
        )
        given = {**view.parameters, "since": now - UNREACHED_SHOWN, "limit": limit}
        return self.connection.execute(query, given).fetchall()

    def latest(self, view: View, referral_id: UUID, limit: int) -> list[DictRow]:
        """What the view shows of one referral, the latest first."""
        query = (
            _READABLE
            + """
               AND referral_id = %(referral_id)s
             ORDER BY planned_at DESC, id DESC
             LIMIT %(limit)s
        """
        )
        given = {**view.parameters, "referral_id": referral_id, "limit": limit}
        return self.connection.execute(query, given).fetchall()

    def page(
        self,
        view: View,
        *,
        referral_id: UUID | None,
        person: UUID | None,
        state: str | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[DictRow]:
        """The ledger's rows that the view shows, oldest first."""
        query = (
            _READABLE
            + """
               AND (%(referral_id)s::uuid IS NULL OR referral_id = %(referral_id)s)
               AND (%(person)s::uuid IS NULL OR recipient_id = %(person)s)
               AND (%(state)s::text IS NULL OR state = %(state)s)
               AND (%(after_at)s::timestamptz IS NULL
                    OR (planned_at, id) > (%(after_at)s, %(after_id)s))
             ORDER BY planned_at, id
             LIMIT %(limit)s
        """
        )
        after_at, after_id = after or (None, None)
        parameters = {
            **view.parameters,
            "referral_id": referral_id,
            "person": person,
            "state": state,
            "after_at": after_at,
            "after_id": after_id,
            "limit": limit,
        }
        return self.connection.execute(query, parameters).fetchall()
