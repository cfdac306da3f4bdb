"""What is measured of outbox, set aside events and queues; and a queue in which nothing moves."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from kombu.connection import Connection
from prometheus_client import REGISTRY

from services.chassis import observing
from services.chassis.observing import Observing
from tests.integration.chassis.test_consumer import delivery
from tests.integration.chassis.test_through_the_broker import FOLLOWED, emit, publish, scene
from tests.support import Scene, wait_for

__all__ = ["scene"]


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@contextmanager
def observed(scene: Scene, *, patience: float = 30.0) -> Iterator[list[str]]:
    """What is said to have stalled while the loop runs."""
    stalled: list[str] = []
    stop = threading.Event()
    loop = Observing(scene.workplace, [FOLLOWED], stalled.append)
    loop.patience = patience
    thread = threading.Thread(target=loop.run, args=(stop.is_set, stop.wait))
    thread.start()
    yield stalled
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


@contextmanager
def deaf_consumer(broker: str) -> Iterator[None]:
    """One that was given a message and never answers."""
    with Connection(broker) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        got: list[Any] = []
        channel.basic_consume(FOLLOWED, callback=got.append)
        while not got:
            connection.drain_events(timeout=5)
        yield


@pytest.fixture(autouse=True)
def at_a_quick_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "PACE_SECONDS", 0.1)


def test_what_has_not_left_and_what_is_set_aside_is_measured(scene: Scene) -> None:
    scene.pass_time(minutes=-5)
    emit(scene, uuid4(), 1, 2)
    scene.handling("parcel.sent.v1").handle([delivery(3)])  # two before it never came

    with observed(scene):
        wait_for(lambda: value("kindred_outbox_rows") == 2)
        wait_for(lambda: value("kindred_deferred_rows", queue=FOLLOWED, state="waiting") == 1)

    assert 290 < (value("kindred_outbox_oldest_seconds") or 0) < 400
    assert 290 < (value("kindred_gap_oldest_seconds", queue=FOLLOWED) or 0) < 400
    assert value("kindred_deferred_rows", queue=FOLLOWED, state="parked") == 0


def test_what_is_over_goes_back_to_nothing(scene: Scene) -> None:
    scene.handling("parcel.sent.v1").handle([delivery(3)])
    with observed(scene):
        wait_for(lambda: value("kindred_gap_oldest_seconds", queue=FOLLOWED))
        with psycopg.connect(scene.database.owner) as connection:
            connection.execute("DELETE FROM deferred")

        wait_for(lambda: value("kindred_gap_oldest_seconds", queue=FOLLOWED) == 0)


def test_messages_that_wait_are_counted(scene: Scene, broker: str) -> None:
    publish(broker, [delivery(1), delivery(2)])

    with observed(scene) as stalled:
        wait_for(lambda: value("kindred_queue_ready", queue=FOLLOWED) == 2)

    assert value("kindred_queue_consumers", queue=FOLLOWED) == 0
    assert stalled == []


def test_a_queue_whose_consumer_takes_nothing_in_has_stalled(scene: Scene, broker: str) -> None:
    publish(broker, [delivery(1), delivery(2)])

    with deaf_consumer(broker), observed(scene, patience=0.3) as stalled:
        wait_for(lambda: stalled)

    assert stalled[0] == FOLLOWED


def test_a_queue_that_another_replica_works_on_slowly_has_not_stalled(
    scene: Scene, broker: str
) -> None:
    publish(broker, [delivery(1), delivery(2)])

    with deaf_consumer(broker), observed(scene, patience=1) as stalled:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            scene.rows(
                "INSERT INTO inbox VALUES (%s, %s, now() - interval '1 second') RETURNING 1",
                (FOLLOWED, uuid4()),
            )
            time.sleep(0.1)

    assert value("kindred_queue_consumers", queue=FOLLOWED) == 1
    assert stalled == []


def test_a_broker_that_is_away_hides_nothing_of_the_database(scene: Scene) -> None:
    emit(scene, uuid4(), 1, 2, 3)
    scene.settings = scene.workplace.settings = type(scene.settings)(
        **{**vars(scene.settings), "broker": "amqp://127.0.0.1:1//"}
    )

    with observed(scene):
        wait_for(lambda: value("kindred_outbox_rows") == 3)
