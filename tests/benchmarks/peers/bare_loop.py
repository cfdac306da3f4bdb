"""No framework: py-amqp and psycopg, a batch a transaction by set-based statements, one ack.

What a consumer costs at the least when it does the same database work with the same batch size.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from kombu.connection import Connection

from tests.benchmarks.peers import work

BATCH = work.CONCURRENCY
ENTER = """
    INSERT INTO inbox (consumer, event_id)
    SELECT %s, event_id FROM unnest(%b::uuid[]) AS event_id
        ON CONFLICT DO NOTHING
    RETURNING event_id
"""
ACTIVATE = """
    UPDATE matches
       SET state = 'active', next_at = NULL, changed_at = %s, version = version + 1
     WHERE id = ANY (%b) AND state = 'confirmed'
    RETURNING id, referral_id, client_id, clinic_id, round, peer_id, peer_organisation_id
"""
EMIT = """
    INSERT INTO outbox (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                        clinic_org_id, traceparent, occurred_at, body)
    SELECT event_id, 'match.activated.v1', 'match', match_id, 1, 1, org_id, clinic_id, NULL,
           occurred_at, body
      FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::uuid[], %b::timestamptz[], %b::bytea[])
        AS new (event_id, match_id, org_id, clinic_id, occurred_at, body)
"""


def handle(database: psycopg.Connection[Any], messages: list[Any]) -> None:
    now = datetime.now(UTC)
    events = {UUID(m.headers["cloudEvents:id"]): json.loads(m.body) for m in messages}
    with database.transaction():
        fresh = database.execute(ENTER, (work.QUEUE, list(events))).fetchall()
        matches = [UUID(events[event_id]["match_id"]) for (event_id,) in fresh]
        changed = database.execute(ACTIVATE, (now, matches)).fetchall()
        rows = [work.emitted(match, now) for match in changed]
        database.execute(EMIT, [list(column) for column in zip(*rows, strict=True)])


def main() -> None:
    database = psycopg.connect(work.DSN, autocommit=True)
    with Connection(work.BROKER) as broker:
        channel = broker.channel()
        channel.auto_decode = False
        channel.basic_qos(0, BATCH * 2, False)
        waiting: list[Any] = []
        channel.basic_consume(work.QUEUE, callback=waiting.append)
        while True:
            with suppress(TimeoutError):
                while len(waiting) < BATCH:
                    broker.drain_events(timeout=0.001 if waiting else 0.5)
            if waiting:
                batch, waiting[:] = waiting[:BATCH], waiting[BATCH:]
                handle(database, batch)
                channel.basic_ack(batch[-1].delivery_tag, multiple=True)


if __name__ == "__main__":
    main()
