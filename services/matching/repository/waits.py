"""How long people waited, and what is told of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.chassis.organisations import SYNTHETIC_CLINIC
from services.matching.domain.waits import Wait

Row = dict[str, Any]


@dataclass(frozen=True)
class Waits:
    connection: Connection

    def note(self, now: datetime, days: int, languages: Sequence[str], *, is_served: bool) -> None:
        query = "INSERT INTO waits (ended_at, days, languages, is_served) VALUES (%s, %s, %s, %s)"
        self.connection.execute(query, (now, days, list(languages), is_served))

    def since(self, moment: datetime) -> list[Row]:
        query = "SELECT days, languages, is_served FROM waits WHERE ended_at >= %s"
        return self.connection.execute(query, (moment,)).fetchall()

    def of_those_who_wait(self, now: datetime) -> list[Row]:
        """Everybody without a yes so far, for the first time, who takes no pause."""
        query = """
            SELECT greatest(0, extract(days FROM %s - matches.received_at))::integer AS days,
                   needs.languages
              FROM matches JOIN needs USING (referral_id)
             WHERE matches.state IN ('waiting', 'shortlisted', 'offered', 'chosen')
               AND matches.round = 1 AND NOT needs.paused AND matches.clinic_id <> %s
        """
        return self.connection.execute(query, (now, SYNTHETIC_CLINIC)).fetchall()

    def forget(self, before: datetime) -> None:
        self.connection.execute("DELETE FROM waits WHERE ended_at < %s", (before,))

    def tell(self, now: datetime, found: Iterable[tuple[str, Wait]]) -> None:
        """In place of all that was told before."""
        self.connection.execute("DELETE FROM wait_estimates")
        query = """
            INSERT INTO wait_estimates (language, worked_out_at, measured, quarter, half,
                                        three_quarters)
            VALUES (%s, %s, %s, %s, %s, %s)
        """
        rows = [
            (language, now, one.measured, one.quarter, one.half, one.three_quarters)
            for language, one in found
        ]
        with self.connection.cursor() as cursor:
            cursor.executemany(query, rows)

    def all_told(self) -> dict[str, Wait]:
        query = """
            SELECT language, measured, quarter, half, three_quarters
              FROM wait_estimates
             ORDER BY language
        """
        rows = self.connection.execute(query).fetchall()
        return {
            row["language"]: Wait(
                row["measured"], row["quarter"], row["half"], row["three_quarters"]
            )
            for row in rows
        }
