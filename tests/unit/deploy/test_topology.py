"""The broker's topology follows from what services declare."""

from typing import Any

from marshmallow import Schema

from deploy.topology import topology_of
from services.chassis.service import Service, consumes
from services.chassis.work import Work


def note(event: Any, work: Work) -> None:
    """Handles nothing: only the declaration matters here."""


class Producer(Service):
    name = "producer"


class Consumer(Service):
    name = "consumer"

    note_opened = consumes("door.opened.v1", source="producer", schema=Schema, handler=note)
    note_closed = consumes("door.closed.v1", source="producer", schema=Schema, handler=note)
    note_rung = consumes("bell.rung.v1", source="producer", schema=Schema, handler=note)


TOPOLOGY = topology_of([Producer, Consumer])


def test_a_consumer_has_one_queue_per_aggregate_bound_to_all_its_types() -> None:
    assert TOPOLOGY["bindings"] == [
        {"exchange": "producer.events", "queue": "consumer.bell", "routing_key": "bell.#"},
        {"exchange": "producer.events", "queue": "consumer.door", "routing_key": "door.#"},
    ]
    assert list(TOPOLOGY["queues"]) == ["consumer.bell", "consumer.door"]


def test_queues_are_quorum_queues_with_one_active_consumer_and_a_high_limit() -> None:
    for arguments in TOPOLOGY["queues"].values():
        assert arguments["x-queue-type"] == "quorum"
        assert arguments["x-single-active-consumer"] is True
        assert arguments["x-delivery-limit"] >= 1_000_000


def test_a_producer_learns_which_of_its_aggregates_are_followed() -> None:
    assert TOPOLOGY["followed"] == {"producer": ["bell", "door"], "consumer": []}


def test_every_service_has_an_exchange_also_one_that_nobody_follows() -> None:
    assert TOPOLOGY["exchanges"] == ["producer.events", "consumer.events"]
