"""Forgetting the synthetic clinic's referrals, so that they take a bounded place."""

from datetime import datetime
from typing import Final

from services.chassis.database import Connection
from services.chassis.organisations import SYNTHETIC_CLINIC

_PARTS: Final = ("steps", "tasks", "consents", "consent_scans", "information_requests")


def forget_synthetic(connection: Connection, before: datetime) -> int:
    """Delete those received before, with all that belongs to them."""
    query = "SELECT id FROM referrals WHERE clinic_id = %s AND received_at < %s"
    ids = [row["id"] for row in connection.execute(query, (SYNTHETIC_CLINIC, before))]
    unlink = "UPDATE referrals SET linked_referral_id = NULL WHERE linked_referral_id = ANY (%s)"
    connection.execute(unlink, (ids,))
    for part in _PARTS:
        delete = f"DELETE FROM {part} WHERE referral_id = ANY (%s)"  # noqa: S608  our own names
        connection.execute(delete.encode(), (ids,))
    return connection.execute("DELETE FROM referrals WHERE id = ANY (%s)", (ids,)).rowcount
