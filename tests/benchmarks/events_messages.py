"""The events that every consumer is given: a session's outcome, each about a match of its own."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import amqp
from kombu.connection import Connection
from kombu.entity import Queue

from deploy.topology import read_topology
from services.chassis.events import CONTENT_TYPE

ORGANISATIONS = 20
PATIENCE_SECONDS = 300
QUORUM = {"x-queue-type": "quorum"}

Headers = dict[str, Any]
# How a peer wants a message that carries an event's body.
Form = Callable[[Mapping[str, Any]], tuple[Headers, Any]]


def fill(url: str, queue: str, count: int, form: Form | None) -> None:
    """Leave exactly so many events in the queue, numbered from 1."""
    arguments = read_topology()["queues"].get(queue, QUORUM)
    with Connection(url) as broker:
        channel = broker.channel()
        declared = Queue(queue, durable=True, queue_arguments=arguments)(channel)
        declared.queue_declare()
        declared.purge()
        for message in messages(count, form):
            channel.basic_publish(message, routing_key=queue)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while channel.queue_declare(queue, passive=True).message_count < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the broker does not hold {count} events")
            time.sleep(0.05)


def messages(count: int, form: Form | None) -> Iterator[amqp.Message]:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for number in range(1, count + 1):
        event = body(number, now)
        headers, content = form(event) if form else (attributes(event, now), event)
        yield amqp.Message(
            json.dumps(content, separators=(",", ":")),
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=2,
            message_id=event["event_id"],
            application_headers=headers,
        )


def body(number: int, now: str) -> dict[str, Any]:
    """As scheduling sends it; the id is in the headers, and here for those who read no headers."""
    return {
        "event_id": numbered(number, "e"),
        "session_id": numbered(number, "5"),
        "match_id": numbered(number),
        "referral_id": numbered(number, "f"),
        "client_id": numbered(number, "c"),
        "peer_id": numbered(number, "b"),
        "clinic_id": organisation_of(number),
        "peer_organisation_id": organisation_of(number),
        "starts_at": now,
        "ends_at": now,
        "time_zone": "America/Chicago",
        "revision": 1,
        "mode": "video",
        "outcome": "held",
    }


def attributes(event: Mapping[str, Any], now: str) -> Headers:
    return {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": event["event_id"],
        "cloudEvents:source": "/scheduling/epochs/1",
        "cloudEvents:type": "session.outcome_recorded.v1",
        "cloudEvents:time": now,
        "cloudEvents:subject": event["session_id"],
        "cloudEvents:sequence": "1",
        "cloudEvents:org": event["peer_organisation_id"],
        "cloudEvents:clinicorg": event["clinic_id"],
        "cloudEvents:traceparent": f"00-{UUID(event['event_id']).hex}-0000000000000001-01",
    }


def numbered(number: int, kind: str = "0") -> str:
    """An id that can be found again by its number."""
    return str(UUID(f"{kind}{number:031x}"))


def organisation_of(number: int) -> str:
    return numbered(1 + number % ORGANISATIONS)
