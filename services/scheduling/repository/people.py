"""People as scheduling knows them, and the hours they gave."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.scheduling.domain.availability import (
    Availability,
    DatedException,
    Hours,
    WeeklyHours,
)
from services.scheduling.domain.spans import Span


@dataclass(frozen=True, kw_only=True)
class Person:
    id: UUID
    kind: str
    organisation_id: UUID
    time_zone: str | None


@dataclass(frozen=True)
class People:
    connection: Connection

    def find(self, person_id: UUID) -> Person | None:
        query = "SELECT id, kind, organisation_id, time_zone FROM people WHERE id = %s"
        cursor = self.connection.cursor(row_factory=class_row(Person))
        return cursor.execute(query, (person_id,)).fetchone()

    def lock(self, person_id: UUID) -> Person | None:
        """The person, whose hours nobody else replaces meanwhile."""
        query = """
            SELECT id, kind, organisation_id, time_zone
              FROM people
             WHERE id = %s
               FOR UPDATE
        """
        cursor = self.connection.cursor(row_factory=class_row(Person))
        return cursor.execute(query, (person_id,)).fetchone()

    def remember(self, person: Person) -> None:
        """Add the person, or take over what is known newly; a zone is never forgotten."""
        query = """
            INSERT INTO people (id, kind, organisation_id, time_zone)
            VALUES (%(id)s, %(kind)s, %(organisation_id)s, %(time_zone)s)
                ON CONFLICT (id) DO UPDATE
               SET organisation_id = excluded.organisation_id,
                   time_zone = coalesce(excluded.time_zone, people.time_zone)
        """
        self.connection.execute(query, vars(person))


@dataclass(frozen=True)
class AvailabilityOf:
    """The hours of people, by their ids."""

    connection: Connection

    def find(self, person_id: UUID) -> tuple[Availability, int] | None:
        """The hours and their version."""
        query = """
            SELECT time_zone, weekly, exceptions, version
              FROM availability
             WHERE person_id = %s
        """
        row = self.connection.execute(query, (person_id,)).fetchone()
        return (_availability(row), row["version"]) if row else None

    def of_free_peers(
        self, organisation_id: UUID, during: Span, since: datetime
    ) -> dict[UUID, Availability]:
        """Of the organisation's peers with nothing claimed then, whoever had least since first."""
        query = """
            SELECT person_id, availability.time_zone, weekly, exceptions
              FROM availability JOIN people ON people.id = person_id AND kind = 'peer'
             WHERE availability.organisation_id = %(organisation_id)s
               AND NOT EXISTS (SELECT FROM claims
                                WHERE resource_id = person_id
                                  AND during && tstzrange(%(from)s, %(to)s))
             ORDER BY (SELECT count(*) FROM sessions
                        WHERE peer_id = person_id AND starts_at > %(since)s
                          AND state <> 'cancelled'), person_id
        """
        given = {
            "organisation_id": organisation_id,
            "from": during.starts_at,
            "to": during.ends_at,
            "since": since,
        }
        rows = self.connection.execute(query, given)
        return {row["person_id"]: _availability(row) for row in rows}

    def put(self, person: Person, availability: Availability) -> int:
        """Replace what was given before; return the version that this makes."""
        query = """
            INSERT INTO availability (person_id, organisation_id, time_zone, weekly, exceptions)
            VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (person_id) DO UPDATE
               SET organisation_id = excluded.organisation_id,
                   time_zone = excluded.time_zone,
                   weekly = excluded.weekly,
                   exceptions = excluded.exceptions,
                   version = availability.version + 1
            RETURNING version
        """
        weekly = [[open_.day, *_minutes(open_.hours)] for open_ in availability.weekly]
        exceptions = [
            [exception.date.isoformat(), exception.available, *_minutes(exception.hours)]
            for exception in availability.exceptions
        ]
        values = (person.id, person.organisation_id, availability.time_zone)
        row = self.connection.execute(query, (*values, Jsonb(weekly), Jsonb(exceptions))).fetchone()
        return int(row["version"]) if row else 0


def _minutes(hours: Hours) -> tuple[int, int]:
    return hours.from_minute, hours.to_minute


def _availability(row: dict[str, Any]) -> Availability:
    return Availability(
        time_zone=row["time_zone"],
        weekly=tuple(WeeklyHours(day, Hours(*hours)) for day, *hours in row["weekly"]),
        exceptions=tuple(
            DatedException(date.fromisoformat(day), available, Hours(*hours))
            for day, available, *hours in row["exceptions"]
        ),
    )
