"""What the tests of single faults happen in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from tests.faults.parcel_service import Parcels
from tests.faults.post_office import FOLLOWED, OWN, PostOffice
from tests.faults.redundant import redundant
from tests.support import Scene

__all__ = ["redundant"]

QUORUM = {"x-queue-type": "quorum", "x-single-active-consumer": True}


def declare(broker: str) -> None:
    """Declare what the parcel service needs on the broker."""
    with Connection(broker) as connection:
        for exchange, queue, key in (
            ("matching.events", OWN, "note.#"),
            ("post.events", FOLLOWED, "parcel.#"),
        ):
            source = Exchange(exchange, type="topic", durable=True)
            bound = Queue(queue, source, routing_key=key, queue_arguments=QUORUM)(connection)
            bound.declare()
            bound.purge()


def open_office(database: Any, broker: str, folder: Path) -> PostOffice:
    scene = Scene(Parcels, database)
    scene.settings = replace(scene.settings, broker=broker)
    scene.workplace.settings = scene.settings
    (scene.folder / "topology.json").write_text('{"followed": {"matching": ["note"]}}')
    declare(broker)
    return PostOffice(scene, broker, folder)


@pytest.fixture
def office(database: Any, broker: str, tmp_path: Path) -> Iterator[PostOffice]:
    office = open_office(database("matching"), broker, tmp_path)
    yield office
    office.stop()
    office.scene.close()
