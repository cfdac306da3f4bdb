"""Faults by message: what cannot be read or handled, copies, and events in another order."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.acceptance.running import SERVICES
from tests.chaos.fault import Fault, Missed, Scene
from tests.chaos.injections import event_message, plain_message
from tests.chaos.process_faults import standing_still

_COPIES = 2
_EVENTS = """
    SELECT event_id, type, aggregate, aggregate_id, epoch, sequence, org_id, clinic_org_id,
           occurred_at, body
      FROM {table}
"""


def _bodies(mark: str) -> list[tuple[bytes, str]]:
    """Bodies that nobody can read, each with what it says it is."""
    return [
        (f'{{"mark": "{mark}"'.encode(), "application/json"),
        (f"\xff\xfe {mark}".encode("latin-1"), "application/json"),
        (f"cos\nsystem\n{mark}".encode(), "application/x-python-serialize"),
        (f'"{mark}"'.encode(), "application/json"),
        (mark.encode() * 40_000, "application/json"),
        (f'{{"mark": "{mark}"}}'.encode(), "text/plain"),
    ]


@contextmanager
def unreadable(scene: Scene, rng: random.Random) -> Iterator[str]:
    exchange, key = rng.choice(
        [
            ("referrals.events", "referral"),
            ("matching.events", "match"),
            ("scheduling.events", "session"),
        ]
    )
    bodies = _bodies(uuid4().hex)
    with scene.node.channel() as channel:
        for body, content_type in bodies:
            scene.injections.note_body(body)
            message = plain_message(body, {}, content_type=content_type)
            channel.basic_publish(message, exchange, f"{key}.submitted.v1")
    yield f"{len(bodies)} to {exchange}"


@contextmanager
def never_handled(scene: Scene, _: random.Random) -> Iterator[str]:
    """An event of a referral that nobody has, and another behind it."""
    match_id, referral_id = uuid4(), uuid4()
    body = {
        "match_id": str(match_id),
        "referral_id": str(referral_id),
        "client_id": str(uuid4()),
        "clinic_id": str(uuid4()),
        "round": 1,
        "candidates": 1,
    }
    with scene.node.channel() as channel:
        for sequence in (1, 2):
            row = _made_up(match_id, sequence, body)
            scene.injections.note_event(row["event_id"], match_id)
            channel.basic_publish(event_message("matching", row), "matching.events", row["type"])
    yield "referrals.match"


def _made_up(match_id: Any, sequence: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": uuid4(),
        "type": "match.shortlisted.v1",
        "aggregate_id": match_id,
        "epoch": 1,
        "sequence": sequence,
        "org_id": body["clinic_id"],
        "clinic_org_id": body["clinic_id"],
        "occurred_at": datetime.now(UTC),
        "body": json.dumps(body).encode(),
    }


@contextmanager
def duplicated(scene: Scene, rng: random.Random) -> Iterator[str]:
    """Copies of events that were sent, from two channels at once."""
    producer = rng.choice(SERVICES)
    query = _EVENTS.format(table="outbox_sent") + "ORDER BY sent_at DESC LIMIT 300"
    rows = scene.system.rows(producer, query)
    chosen = rng.sample(rows, min(60, len(rows)))
    if not chosen:
        raise Missed(f"{producer} has sent nothing yet")
    with scene.node.channel() as one, scene.node.channel() as other:
        for row in chosen:
            for channel in (one, other) * _COPIES:
                message = event_message(producer, row)
                channel.basic_publish(message, f"{producer}.events", row["type"])
    yield f"{len(chosen)} of {producer}"


@contextmanager
def reordered(scene: Scene, rng: random.Random) -> Iterator[str]:
    """What waits in an outbox arrives out of order, before the relay gets to send it."""
    for producer in rng.sample(("referrals", "matching"), 2):
        if count := _publish_shuffled(scene, producer, rng):
            yield f"{count} of {producer}"
            return
    raise Missed("nothing waited to be sent")


def _publish_shuffled(scene: Scene, producer: str, rng: random.Random) -> int:
    """Let the producer's outbox fill, and publish it past the relay; tell how many there were."""
    with standing_still(scene, scene.system.replicas(producer, "worker")):
        time.sleep(3)
        rows = scene.system.rows(producer, _EVENTS.format(table="outbox"))
        rng.shuffle(rows)
        with scene.node.channel() as channel:
            for row in rows:
                message = event_message(producer, row)
                channel.basic_publish(message, f"{producer}.events", row["type"])
    return len(rows)


FAULTS = [
    Fault("poison bodies", "poison", "broker", unreadable),
    Fault("poison event", "poison", "broker", never_handled),
    Fault("duplicates", "duplicates", "broker", duplicated),
    Fault("reordering", "reordering", "broker", reordered, goal=20),
]
