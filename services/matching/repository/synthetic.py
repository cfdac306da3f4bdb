"""Forgetting what the synthetic clinic's referrals left, so that it takes a bounded place."""

from datetime import datetime

from services.chassis.database import Connection
from services.chassis.organisations import SYNTHETIC_CLINIC


def forget_synthetic(connection: Connection, before: datetime) -> int:
    """Delete the ended matches; nobody was ever shortlisted in them."""
    query = """
        DELETE FROM matches
         WHERE clinic_id = %s AND state = 'ended' AND changed_at < %s
           AND NOT EXISTS (SELECT FROM shortlisted_peers WHERE match_id = matches.id)
    """
    return connection.execute(query, (SYNTHETIC_CLINIC, before)).rowcount
