"""Referrals, and how the same person's others are found."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.referrals.domain.person import Earlier, Identity

Row = dict[str, Any]

JSON_COLUMNS: Final = ("client", "needs", "plan", "representative")


@dataclass(frozen=True)
class Referrals:
    connection: Connection

    def add(self, row: Row, identity: Identity) -> None:
        query = """
            INSERT INTO referrals (
                id, clinic_id, client_id, linked_referral_id, external_reference, source, status,
                accepted, received_at, submitted_at, urgency, client, needs, plan,
                representative, record_key, name_key, birth_date, email_key, phone_key,
                owner_role, owner_organisation_id, next_date, version)
            VALUES (
                %(id)s, %(clinic_id)s, %(client_id)s, %(linked_referral_id)s,
                %(external_reference)s, %(source)s, %(status)s, %(accepted)s, %(received_at)s,
                %(submitted_at)s, %(urgency)s, %(client)s, %(needs)s, %(plan)s,
                %(representative)s, %(record_key)s, %(name_key)s, %(birth_date)s,
                %(email_key)s, %(phone_key)s, %(owner_role)s, %(owner_organisation_id)s,
                %(next_date)s, %(version)s)
        """
        self.connection.execute(query, {**row, **as_json(row), **asdict(identity)})

    def lock(self, referral_id: UUID) -> Row | None:
        query = """
            SELECT id, clinic_id, client_id, linked_referral_id, external_reference, source,
                   status, accepted, received_at, submitted_at, withdrawn_by, urgency, client,
                   needs, plan, representative, match_id, match_round, match_state,
                   peer_organisation_id, peer_id, owner_role, owner_organisation_id, next_date,
                   contact_disputed_at, paused_at, paused_until, pause_reason, version
              FROM referrals
             WHERE id = %s
               FOR UPDATE
        """
        return self.connection.execute(query, [referral_id]).fetchone()

    def taken_over(self, clinic_id: UUID, reference: str) -> Row | None:
        query = """
            SELECT id FROM referrals
             WHERE clinic_id = %s AND external_reference = %s AND source = 'import'
        """
        found = self.connection.execute(query, (clinic_id, reference)).fetchone()
        return next(iter(self.find(ids=[found["id"]])), None) if found else None

    def find(self, *, ids: Sequence[UUID] = (), client_ids: Sequence[UUID] = ()) -> list[Row]:
        query = """
            SELECT id, clinic_id, client_id, linked_referral_id, external_reference, source,
                   status, accepted, received_at, submitted_at, withdrawn_by, urgency, client,
                   needs, plan, representative, match_id, match_round, match_state,
                   peer_organisation_id, peer_id, owner_role, owner_organisation_id, next_date,
                   contact_disputed_at, paused_at, paused_until, pause_reason, version
              FROM referrals
             WHERE id = ANY (%s) OR client_id = ANY (%s)
             ORDER BY received_at, id
        """
        return self.connection.execute(query, [list(ids), list(client_ids)]).fetchall()

    def page(
        self,
        clinic_ids: Collection[UUID],
        *,
        client_id: UUID | None,
        status: str | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Row]:
        """List newest first; a client_id narrows the list to one person's own.

        Each clinic's own newest come from an index, however many it has.
        """
        only = "".join(
            clause
            for clause, value in (
                ("AND client_id = %(client_id)s ", client_id),
                ("AND status = %(status)s ", status),
                ("AND (received_at, id) < (%(at)s, %(id)s) ", before),
            )
            if value is not None
        )
        query = f"""
            SELECT newest.id, clinic_id, client_id, linked_referral_id, external_reference, source,
                   status, accepted, received_at, submitted_at, withdrawn_by, urgency, client,
                   needs, plan, representative, match_id, match_round, match_state,
                   peer_organisation_id, peer_id, owner_role, owner_organisation_id, next_date,
                   contact_disputed_at, paused_at, paused_until, pause_reason, version
              FROM unnest(%(clinic_ids)s::uuid[]) AS clinic (id)
             CROSS JOIN LATERAL (
                   SELECT *
                     FROM referrals
                    WHERE clinic_id = clinic.id {only}
                    ORDER BY received_at DESC, id DESC
                    LIMIT %(limit)s) AS newest
             ORDER BY received_at DESC, newest.id DESC
             LIMIT %(limit)s
        """  # noqa: S608  every part is written here
        at, referral_id = before or (None, None)
        values = {
            "clinic_ids": list(clinic_ids),
            "client_id": client_id,
            "status": status,
            "at": at,
            "id": referral_id,
            "limit": limit,
        }
        return self.connection.execute(query, values).fetchall()

    def counts(self, clinic_ids: Collection[UUID]) -> dict[str, int]:
        query = """
            SELECT status, count(*) AS number
              FROM referrals
             WHERE clinic_id = ANY (%s)
             GROUP BY status
        """
        rows = self.connection.execute(query, [list(clinic_ids)])
        return {row["status"]: row["number"] for row in rows}

    def paused_until(self, day: date, limit: int) -> list[UUID]:
        """Those whose pause ends on that day or did before."""
        query = """
            SELECT id FROM referrals WHERE paused_until <= %s ORDER BY paused_until LIMIT %s
        """
        return [row["id"] for row in self.connection.execute(query, (day, limit))]

    def save(self, row: Row) -> None:
        query = """
            UPDATE referrals
               SET client_id = %(client_id)s, linked_referral_id = %(linked_referral_id)s,
                   status = %(status)s, accepted = %(accepted)s, submitted_at = %(submitted_at)s,
                   withdrawn_by = %(withdrawn_by)s, urgency = %(urgency)s, needs = %(needs)s,
                   plan = %(plan)s, match_id = %(match_id)s, match_round = %(match_round)s,
                   match_state = %(match_state)s,
                   peer_organisation_id = %(peer_organisation_id)s, peer_id = %(peer_id)s,
                   owner_role = %(owner_role)s,
                   owner_organisation_id = %(owner_organisation_id)s, next_date = %(next_date)s,
                   contact_disputed_at = %(contact_disputed_at)s, paused_at = %(paused_at)s,
                   paused_until = %(paused_until)s, pause_reason = %(pause_reason)s,
                   version = %(version)s
             WHERE id = %(id)s
        """
        self.connection.execute(query, {**row, **as_json(row)})

    def correct(self, row: Row, identity: Identity) -> None:
        query = """
            UPDATE referrals
               SET client = %(client)s, representative = %(representative)s,
                   record_key = %(record_key)s, name_key = %(name_key)s,
                   birth_date = %(birth_date)s, email_key = %(email_key)s,
                   phone_key = %(phone_key)s
             WHERE id = %(id)s
        """
        self.connection.execute(query, {**row, **as_json(row), **asdict(identity)})

    def earlier(self, clinic_id: UUID, identity: Identity) -> list[Earlier]:
        """List the clinic's referrals that share a record number or a name, newest first."""
        query = """
            SELECT id, client_id, record_key, name_key, birth_date, email_key, phone_key
              FROM referrals
             WHERE clinic_id = %(clinic_id)s
               AND (name_key = %(name_key)s OR record_key = %(record_key)s)
             ORDER BY received_at DESC, id DESC
        """
        rows = self.connection.execute(query, {"clinic_id": clinic_id, **asdict(identity)})
        return [earlier(row) for row in rows]

    def elsewhere(
        self, clinic_ids: Collection[UUID], row: Row, identity: Identity
    ) -> list[Earlier]:
        """List referrals of the same name at other clinics that the caller serves as well."""
        query = """
            SELECT id, client_id, NULL AS record_key, name_key, birth_date, email_key, phone_key
              FROM referrals
             WHERE clinic_id = ANY (%(clinic_ids)s) AND clinic_id <> %(clinic_id)s
               AND name_key = %(name_key)s
             ORDER BY received_at DESC, id DESC
        """
        values = {
            "clinic_ids": list(clinic_ids),
            "clinic_id": row["clinic_id"],
            "name_key": identity.name_key,
        }
        return [earlier(found) for found in self.connection.execute(query, values)]


def as_json(row: Row) -> dict[str, Jsonb | None]:
    """Wrap what is kept as JSON; an absent value stays NULL, not JSON's null."""
    return {
        name: None if row[name] is None else Jsonb(row[name])
        for name in JSON_COLUMNS
        if name in row
    }


def earlier(row: Row) -> Earlier:
    known = ("record_key", "name_key", "birth_date", "email_key", "phone_key")
    return Earlier(row["id"], row["client_id"], Identity(**{name: row[name] for name in known}))
