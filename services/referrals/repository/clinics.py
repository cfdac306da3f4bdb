"""The clinics that take part."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class Clinics:
    connection: Connection

    def get(self, clinic_id: UUID) -> Row | None:
        query = """
            SELECT id, name, time_zone, area, email, language, auto_accept, version
              FROM clinics
             WHERE id = %s
        """
        return self.connection.execute(query, [clinic_id]).fetchone()

    def lock(self, clinic_id: UUID) -> Row | None:
        """Also keeps two submissions of one clinic apart, so that each sees the other's person."""
        query = """
            SELECT id, name, time_zone, area, email, language, auto_accept, version
              FROM clinics
             WHERE id = %s
               FOR NO KEY UPDATE
        """
        return self.connection.execute(query, [clinic_id]).fetchone()

    def page(self, clinic_ids: Collection[UUID], after: UUID | None, limit: int) -> list[Row]:
        query = """
            SELECT id, name, time_zone, area, email, language, auto_accept, version
              FROM clinics
             WHERE id = ANY (%s) AND (%s::uuid IS NULL OR id > %s)
             ORDER BY id
             LIMIT %s
        """
        return self.connection.execute(query, [list(clinic_ids), after, after, limit]).fetchall()

    def add(self, clinic: Mapping[str, Any]) -> bool:
        query = """
            INSERT INTO clinics (id, name, time_zone, area, email, language, auto_accept)
            VALUES (%(id)s, %(name)s, %(time_zone)s, %(area)s, %(email)s, %(language)s,
                    %(auto_accept)s)
                ON CONFLICT (id) DO NOTHING
        """
        return self.connection.execute(query, clinic).rowcount == 1

    def change(self, clinic: Mapping[str, Any]) -> None:
        query = """
            UPDATE clinics
               SET name = %(name)s, time_zone = %(time_zone)s, area = %(area)s,
                   email = %(email)s, language = %(language)s, auto_accept = %(auto_accept)s,
                   version = %(version)s
             WHERE id = %(id)s
        """
        self.connection.execute(query, clinic)
