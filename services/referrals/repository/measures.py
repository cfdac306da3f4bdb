"""Numbers over all open referrals, without the synthetic clinic's."""

from datetime import date
from typing import Any

from services.chassis.database import Connection
from services.chassis.organisations import SYNTHETIC_CLINIC


def measure_open(connection: Connection, *, today: date) -> dict[str, dict[str, Any]]:
    """By status: how many, without owner or date, overdue, and since when one has no peer."""
    query = """
        SELECT status, count(*) AS number,
               count(*) FILTER (WHERE owner_role IS NULL OR owner_organisation_id IS NULL
                                   OR next_date IS NULL) AS unowned,
               count(*) FILTER (WHERE next_date < %s) AS overdue,
               min(received_at) FILTER (
                   WHERE status IN ('submitted', 'accepted')
                     AND coalesce(match_state, 'waiting-again')
                         IN ('no-peer-found', 'shortlisted', 'waiting-again')
               ) AS unassigned_since
          FROM referrals
         WHERE status NOT IN ('declined', 'withdrawn', 'completed') AND clinic_id <> %s
         GROUP BY status
    """
    rows = connection.execute(query, (today, SYNTHETIC_CLINIC)).fetchall()
    return {row["status"]: row for row in rows}
