"""Rooms of peer organisations."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection

_SELECT = """
    SELECT id, peer_organisation_id, name, area, time_zone, step_free, version
      FROM rooms
"""


@dataclass(frozen=True, kw_only=True)
class Room:
    id: UUID
    peer_organisation_id: UUID
    name: str
    area: str | None
    time_zone: str
    step_free: bool
    version: int = 1

    @property
    def place(self) -> str:
        """What somebody who wants to find it is told."""
        return ", ".join(filter(None, (self.name, self.area)))


@dataclass(frozen=True)
class Rooms:
    connection: Connection

    def find(self, room_id: UUID) -> Room | None:
        query = f"""{_SELECT}
             WHERE id = %s
        """
        cursor = self.connection.cursor(row_factory=class_row(Room))
        return cursor.execute(query, (room_id,)).fetchone()

    def lock(self, room_id: UUID) -> Room | None:
        query = f"""{_SELECT}
             WHERE id = %s
               FOR UPDATE
        """
        cursor = self.connection.cursor(row_factory=class_row(Room))
        return cursor.execute(query, (room_id,)).fetchone()

    def page(self, organisations: list[UUID], after: UUID | None, limit: int) -> list[Room]:
        query = f"""{_SELECT}
             WHERE peer_organisation_id = ANY (%s) AND (%s::uuid IS NULL OR id > %s)
             ORDER BY id
             LIMIT %s
        """
        cursor = self.connection.cursor(row_factory=class_row(Room))
        return cursor.execute(query, (organisations, after, after, limit)).fetchall()

    def add(self, room: Room) -> bool:
        """Add the room unless the id is used, be it by an organisation one cannot see."""
        query = """
            INSERT INTO rooms (id, peer_organisation_id, name, area, time_zone, step_free)
            VALUES (%(id)s, %(peer_organisation_id)s, %(name)s, %(area)s, %(time_zone)s,
                    %(step_free)s)
                ON CONFLICT (id) DO NOTHING
        """
        return self.connection.execute(query, vars(room)).rowcount == 1

    def change(self, room: Room) -> None:
        query = """
            UPDATE rooms
               SET name = %(name)s, area = %(area)s, time_zone = %(time_zone)s,
                   step_free = %(step_free)s, version = %(version)s
             WHERE id = %(id)s
        """
        self.connection.execute(query, vars(room))
