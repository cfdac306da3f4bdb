"""The contact log; a row is new or locked before an event about it is emitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from services.chassis.database import Connection
from services.scheduling.domain.contacts import (
    Contact,
    Details,
    Form,
    Kind,
    Participant,
    SessionLogged,
    Setting,
    State,
)
from services.scheduling.domain.units import Spent

_SELECT = """
    SELECT id, peer_id, peer_organisation_id, form, kind, setting, started_at, time_zone,
           minutes, people, session_id, state, version,
           ARRAY(
               SELECT jsonb_build_object('match_id', match_id, 'referral_id', referral_id,
                                         'client_id', client_id, 'clinic_id', clinic_id)
                 FROM contact_people
                WHERE contact_id = contacts.id
                ORDER BY match_id
           ) AS participants
      FROM contacts
"""


@dataclass(frozen=True, kw_only=True)
class ContactFilter:
    """Which entries a list shows; None leaves a side open."""

    served_ids: Sequence[UUID] | None = None
    peer_id: UUID | None = None
    client_id: UUID | None = None
    referral_id: UUID | None = None
    from_: datetime | None = None
    to: datetime | None = None
    before_start: datetime | None = None
    before_id: UUID | None = None
    limit: int = 50


@dataclass(frozen=True)
class Contacts:
    connection: Connection

    def find(self, contact_id: UUID) -> Contact | None:
        query = f"{_SELECT} WHERE id = %s"
        row = self.connection.execute(query, (contact_id,)).fetchone()
        return _contact(row) if row else None

    def lock(self, contact_id: UUID) -> Contact | None:
        query = f"{_SELECT} WHERE id = %s FOR UPDATE"
        row = self.connection.execute(query, (contact_id,)).fetchone()
        return _contact(row) if row else None

    def page(self, wanted: ContactFilter) -> list[Contact]:
        """The latest first, without what was taken out of the log."""
        query = f"""{_SELECT}
             WHERE state = 'logged'
               AND (%(served_ids)s::uuid[] IS NULL OR peer_organisation_id = ANY (%(served_ids)s))
               AND (%(peer_id)s::uuid IS NULL OR peer_id = %(peer_id)s)
               AND (%(client_id)s::uuid IS NULL OR id IN (
                    SELECT contact_id FROM contact_people WHERE client_id = %(client_id)s))
               AND (%(referral_id)s::uuid IS NULL OR id IN (
                    SELECT contact_id FROM contact_people WHERE referral_id = %(referral_id)s))
               AND (%(from_)s::timestamptz IS NULL OR started_at >= %(from_)s)
               AND (%(to)s::timestamptz IS NULL OR started_at < %(to)s)
               AND (%(before_id)s::uuid IS NULL
                    OR (started_at, id) < (%(before_start)s::timestamptz, %(before_id)s))
             ORDER BY started_at DESC, id DESC
             LIMIT %(limit)s
        """  # noqa: S608
        return [_contact(row) for row in self.connection.execute(query, vars(wanted))]

    def organisations_of(self, client_id: UUID) -> list[UUID]:
        """The peer organisations whose peers met the client."""
        query = "SELECT DISTINCT peer_organisation_id FROM contact_people WHERE client_id = %s"
        rows = self.connection.execute(query, (client_id,))
        return [row["peer_organisation_id"] for row in rows]

    def spent(self, peer_id: UUID, from_: datetime, to: datetime) -> list[Spent]:
        query = """
            SELECT started_at, minutes, form, time_zone
              FROM contacts
             WHERE peer_id = %s AND state = 'logged' AND started_at >= %s AND started_at < %s
        """
        rows = self.connection.execute(query, (peer_id, from_, to))
        return [Spent(**{**row, "form": Form(row["form"])}) for row in rows]

    def add(self, contact: Contact) -> None:
        """Add the entry; SessionLogged ends the transaction."""
        query = """
            INSERT INTO contacts (id, peer_id, peer_organisation_id, form, kind, setting,
                                  started_at, time_zone, minutes, people, session_id)
            VALUES (%(id)s, %(peer_id)s, %(peer_organisation_id)s, %(form)s, %(kind)s,
                    %(setting)s, %(started_at)s, %(time_zone)s, %(minutes)s, %(people)s,
                    %(session_id)s)
        """
        self._write(query, contact)
        self._name(contact)

    def change(self, contact: Contact) -> None:
        query = """
            UPDATE contacts
               SET form = %(form)s, kind = %(kind)s, setting = %(setting)s,
                   started_at = %(started_at)s, minutes = %(minutes)s, people = %(people)s,
                   session_id = %(session_id)s, state = %(state)s, version = %(version)s
             WHERE id = %(id)s
        """
        self._write(query, contact)
        self.connection.execute("DELETE FROM contact_people WHERE contact_id = %s", (contact.id,))
        self._name(contact)

    def correct_client(self, referral_id: UUID, client_id: UUID) -> None:
        query = """
            UPDATE contact_people
               SET client_id = %(client_id)s
             WHERE referral_id = %(referral_id)s AND client_id <> %(client_id)s
        """
        self.connection.execute(query, {"referral_id": referral_id, "client_id": client_id})

    def _write(self, query: str, contact: Contact) -> None:
        try:
            self.connection.execute(query, {**vars(contact.details), **vars(contact)})
        except UniqueViolation as error:
            if error.diag.constraint_name != "contacts_one_per_session":
                raise
            raise SessionLogged from None

    def _name(self, contact: Contact) -> None:
        query = """
            INSERT INTO contact_people (contact_id, match_id, referral_id, client_id, clinic_id,
                                        peer_organisation_id)
            VALUES (%(contact_id)s, %(match_id)s, %(referral_id)s, %(client_id)s, %(clinic_id)s,
                    %(peer_organisation_id)s)
        """
        known = {
            "contact_id": contact.id,
            "peer_organisation_id": contact.peer_organisation_id,
        }
        rows = [{**vars(one), **known} for one in contact.details.participants]
        self.connection.cursor().executemany(query, rows)


def _contact(row: dict[str, Any]) -> Contact:
    named = [
        Participant(**{name: UUID(id_) for name, id_ in one.items()}) for one in row["participants"]
    ]
    return Contact(
        id=row["id"],
        peer_id=row["peer_id"],
        peer_organisation_id=row["peer_organisation_id"],
        time_zone=row["time_zone"],
        state=State(row["state"]),
        version=row["version"],
        details=Details(
            form=Form(row["form"]),
            kind=Kind(row["kind"]) if row["kind"] else None,
            setting=Setting(row["setting"]) if row["setting"] else None,
            started_at=row["started_at"],
            minutes=row["minutes"],
            people=row["people"],
            session_id=row["session_id"],
            participants=tuple(named),
        ),
    )
