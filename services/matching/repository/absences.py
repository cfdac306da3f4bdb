"""Peers' time away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.chassis.database import Connection


@dataclass(frozen=True)
class Absences:
    connection: Connection

    def store(self, leave: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO absences (leave_id, peer_id, peer_organisation_id, starts_at, ends_at)
            VALUES (%(leave_id)s, %(peer_id)s, %(peer_organisation_id)s, %(starts_at)s, %(ends_at)s)
                ON CONFLICT (leave_id) DO NOTHING
        """
        self.connection.execute(query, leave)

    def forget(self, leave_id: UUID) -> None:
        self.connection.execute("DELETE FROM absences WHERE leave_id = %s", (leave_id,))

    def forget_over(self, now: datetime) -> None:
        self.connection.execute("DELETE FROM absences WHERE ends_at <= %s", (now,))

    def mark(self, now: datetime, *, before: timedelta, lasting: timedelta) -> None:
        """Keep `away` true of whoever has a time away of this length, or will have soon.

        Who comes back counts as changed, so that the waiting are ranked with them again.
        """
        query = """
            WITH absent AS (
                SELECT peer_id FROM absences
                 WHERE starts_at <= %(now)s + %(before)s AND ends_at > %(now)s
                   AND ends_at - starts_at >= %(lasting)s
            )
            UPDATE peers
               SET away = NOT away, updated_at = CASE WHEN away THEN %(now)s ELSE updated_at END
             WHERE away AND id NOT IN (SELECT peer_id FROM absent)
                OR NOT away AND id IN (SELECT peer_id FROM absent)
        """
        self.connection.execute(query, {"now": now, "before": before, "lasting": lasting})
