"""The people whom we may have to write to, and what they prefer."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import DictRow

from services.chassis.database import Connection
from services.notifications.domain.kinds import Recipient


@dataclass(frozen=True)
class People:
    connection: Connection

    def remember(self, person_id: UUID, *, role: Recipient, organisation_id: UUID) -> None:
        """Know a person whom we may have to write to; nothing but the id and where it belongs."""
        query = """
            INSERT INTO people (id, role, organisation_id)
            VALUES (%s, %s, %s)
                ON CONFLICT (id) DO NOTHING
        """
        self.connection.execute(query, (person_id, role, organisation_id))

    def find(self, person_id: UUID) -> DictRow | None:
        query = "SELECT id, language, detail, version FROM people WHERE id = %s"
        return self.connection.execute(query, (person_id,)).fetchone()

    def lock(self, person_id: UUID) -> DictRow | None:
        query = """
            SELECT id, organisation_id, language, detail, version
              FROM people
             WHERE id = %s
               FOR UPDATE
        """
        return self.connection.execute(query, (person_id,)).fetchone()

    def prefer(self, person_id: UUID, *, language: str | None, detail: str) -> DictRow | None:
        query = """
            UPDATE people
               SET language = %s, detail = %s, version = version + 1
             WHERE id = %s
            RETURNING id, language, detail, version
        """
        return self.connection.execute(query, (language, detail, person_id)).fetchone()
