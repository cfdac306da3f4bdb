"""The database work of one event, the same for every peer: inbox, the match's row, the outbox.

Kindred's handler does more besides: it numbers the event, keeps its position, and reads the
match before it decides. A peer works as the database's administrator, past row-level security.
"""

import json
import os
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

DSN: Final = os.environ["BENCH_DATABASE"]
BROKER: Final = os.environ["BENCH_BROKER"]
QUEUE: Final = os.environ["BENCH_QUEUE"]
CONCURRENCY: Final = int(os.environ["BENCH_CONCURRENCY"])
QUORUM: Final = {"x-queue-type": "quorum"}

ENTER: Final = """
    INSERT INTO inbox (consumer, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
ACTIVATE: Final = """
    UPDATE matches
       SET state = 'active', next_at = NULL, changed_at = %s, version = version + 1
     WHERE id = %s AND state = 'confirmed'
    RETURNING id, referral_id, client_id, clinic_id, round, peer_id, peer_organisation_id
"""
EMIT: Final = """
    INSERT INTO outbox (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                        clinic_org_id, traceparent, occurred_at, body)
    VALUES (%s, 'match.activated.v1', 'match', %s, 1, 1, %s, %s, NULL, %s, %s)
"""

Row = tuple[Any, ...]


def entered(event: dict[str, Any]) -> Row:
    return QUEUE, UUID(event["event_id"])


def activated(event: dict[str, Any], now: datetime) -> Row:
    return now, UUID(event["match_id"])


def emitted(match: Row, now: datetime) -> Row:
    match_id, referral_id, client_id, clinic_id, round_, peer_id, organisation_id = match
    told = {
        "match_id": match_id,
        "referral_id": referral_id,
        "client_id": client_id,
        "clinic_id": clinic_id,
        "round": round_,
        "peer_id": peer_id,
        "peer_organisation_id": organisation_id,
    }
    body = json.dumps(told, default=str, separators=(",", ":")).encode()
    return uuid4(), match_id, organisation_id, clinic_id, now, body


def do(connection: Any, event: dict[str, Any]) -> None:
    """Everything in one transaction, on a connection of psycopg that does not commit by itself."""
    now = datetime.now(UTC)
    if connection.execute(ENTER, entered(event)).rowcount:
        match = connection.execute(ACTIVATE, activated(event, now)).fetchone()
        if match:
            connection.execute(EMIT, emitted(match, now))
