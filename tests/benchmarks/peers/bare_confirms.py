"""No framework: read a batch of the outbox, publish it, wait for its confirms, move the rows.

The same reading, message and moving as the relay's; it neither keeps an aggregate's events
apart, nor tells returns from confirms, nor has a lead to prove.
"""

import signal
from contextlib import suppress
from typing import Any

import amqp
import psycopg
from kombu.connection import Connection
from psycopg.rows import dict_row

from tests.benchmarks.peers import work

BATCH = work.CONCURRENCY
READ = """
    SELECT position, event_id, type, aggregate_id, sequence, org_id, clinic_org_id, traceparent,
           occurred_at, body
      FROM outbox
     ORDER BY position
     LIMIT %s
"""
MOVE = """
    WITH gone AS (DELETE FROM outbox WHERE position = ANY (%b) RETURNING *)
    INSERT INTO outbox_sent (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                             clinic_org_id, traceparent, occurred_at, body, sent_at)
    SELECT event_id, type, aggregate, aggregate_id, epoch, sequence, org_id, clinic_org_id,
           traceparent, occurred_at, body, clock_timestamp()
      FROM gone
"""


def message(row: dict[str, Any]) -> amqp.Message:
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(row["event_id"]),
        "cloudEvents:source": "/matching/epochs/1",
        "cloudEvents:type": row["type"],
        "cloudEvents:time": row["occurred_at"].isoformat(),
        "cloudEvents:subject": str(row["aggregate_id"]),
        "cloudEvents:sequence": str(row["sequence"]),
        "cloudEvents:org": str(row["org_id"]),
        "cloudEvents:clinicorg": str(row["clinic_org_id"]),
        "cloudEvents:traceparent": row["traceparent"],
    }
    return amqp.Message(
        row["body"],
        content_type="application/json",
        delivery_mode=2,
        message_id=headers["cloudEvents:id"],
        application_headers=headers,
    )


def main() -> None:
    database = psycopg.connect(work.DSN, autocommit=True, row_factory=dict_row)
    with Connection(work.BROKER) as broker:
        channel = broker.channel()
        channel.confirm_select()
        pending: set[int] = set()

        def on_ack(tag: int, multiple: bool) -> None:
            pending.difference_update(range(min(pending), tag + 1) if multiple else (tag,))

        channel.events["basic_ack"].add(on_ack)
        last_tag = 0
        while rows := database.execute(READ, (BATCH,)).fetchall():
            pending.update(range(last_tag + 1, last_tag + len(rows) + 1))
            last_tag += len(rows)
            for row in rows:
                channel.basic_publish(message(row), work.QUEUE, row["type"], mandatory=True)
            while pending:
                with suppress(TimeoutError):
                    broker.drain_events(timeout=0.5)
            database.execute(MOVE, ([row["position"] for row in rows],))
        signal.pause()


if __name__ == "__main__":
    main()
