"""Faults of the broker: away, silent, full, alarmed, or without what it was told to have."""

import json
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from deploy.topology import FILE
from tests.acceptance.running import SERVICES
from tests.chaos.fault import Fault, Scene
from tests.chaos.process_faults import standing_still

_BACK_SECONDS = 60.0
_VHOST = '<<"kindred">>'
_TOPOLOGY: dict[str, Any] = json.loads(Path(FILE).read_text())


@contextmanager
def connections_closed(scene: Scene, _: random.Random) -> Iterator[str]:
    scene.node.tell('rabbit_networking:close_connections(rabbit_networking:connections(), "fault")')
    yield "every connection"


@contextmanager
def stopped_in_order(scene: Scene, _: random.Random) -> Iterator[str]:
    """The application ends and begins again within its node, as by stop_app and start_app."""
    scene.node.tell("rabbit:stop()")
    try:
        yield "rabbitmq"
    finally:
        scene.node.tell("rabbit:start()")
        wait_until_back(scene)


@contextmanager
def killed(scene: Scene, _: random.Random) -> Iterator[str]:
    scene.system.identity("rabbitmq").send(signal.SIGKILL)
    yield "rabbitmq"
    wait_until_back(scene)


@contextmanager
def paused(scene: Scene, _: random.Random) -> Iterator[str]:
    with standing_still(scene, ["rabbitmq"]):
        yield "rabbitmq"


@contextmanager
def alarmed(scene: Scene, _: random.Random, *, raise_: str, clear: str) -> Iterator[str]:
    """It takes nothing from anybody who publishes, and says so."""
    scene.node.tell(raise_)
    try:
        yield "rabbitmq"
    finally:
        scene.node.tell(clear)


@contextmanager
def queue_full(scene: Scene, rng: random.Random) -> Iterator[str]:
    queue = rng.choice(sorted(_TOPOLOGY["queues"]))
    limit = '[{<<"max-length">>, 1}, {<<"overflow">>, <<"reject-publish">>}]'
    pattern = f'<<"^{queue}$">>'
    scene.node.tell(
        f'rabbit_policy:set({_VHOST}, <<"full">>, {pattern}, {limit}, 1, <<"queues">>, <<"fault">>)'
    )
    try:
        yield queue
    finally:
        scene.node.tell(f'rabbit_policy:delete({_VHOST}, <<"full">>, <<"fault">>)')


@contextmanager
def binding_deleted(scene: Scene, rng: random.Random) -> Iterator[str]:
    """Nobody is told; what is published meanwhile misses this consumer."""
    binding = rng.choice(_TOPOLOGY["bindings"])
    with scene.node.channel() as channel:
        channel.queue_unbind(binding["queue"], binding["exchange"], binding["routing_key"])
    yield binding["queue"]


@contextmanager
def queue_deleted(scene: Scene, rng: random.Random) -> Iterator[str]:
    """With all that it held."""
    queue = rng.choice(sorted(_TOPOLOGY["queues"]))
    with scene.node.channel() as channel:
        channel.queue_delete(queue)
    yield str(queue)


@contextmanager
def permission_revoked(scene: Scene, rng: random.Random) -> Iterator[str]:
    service = rng.choice(SERVICES)
    _allow(scene, service, "^$", "^$")
    try:
        yield service
    finally:
        _allow(scene, service, rf"^{service}\\.events$", rf"^{service}\\..*$")


def _allow(scene: Scene, service: str, write: str, read: str) -> None:
    rights = f'<<"^$">>, <<"{write}">>, <<"{read}">>'
    scene.node.tell(
        "rabbit_auth_backend_internal:set_permissions("
        f'<<"{service}">>, {_VHOST}, {rights}, <<"fault">>)'
    )


def wait_until_back(scene: Scene) -> None:
    until = time.monotonic() + _BACK_SECONDS
    while not scene.node.answers() and time.monotonic() < until:
        time.sleep(0.2)


_MEMORY = partial(
    alarmed,
    raise_="vm_memory_monitor:set_vm_memory_high_watermark(0.0000001)",
    clear="vm_memory_monitor:set_vm_memory_high_watermark(0.6)",
)
_DISK = partial(
    alarmed,
    raise_="rabbit_disk_monitor:set_disk_free_limit(1000000000000000)",
    clear="rabbit_disk_monitor:set_disk_free_limit(64000000)",
)

FAULTS = [
    Fault(
        "broker connections closed",
        "broker connections",
        "broker",
        connections_closed,
        goal=10,
    ),
    Fault("broker stopped in order", "broker away", "broker", stopped_in_order, (1, 3), 30),
    Fault("broker killed", "broker away", "broker", killed, goal=30),
    Fault("broker paused", "broker away", "broker", paused, (3, 7), 20),
    Fault("memory alarm", "broker alarms", "broker", _MEMORY, (2, 5), 20),
    Fault("disk alarm", "broker alarms", "broker", _DISK, (2, 5), 20),
    Fault("queue full", "queue full", "broker", queue_full, (3, 5), 20),
    Fault("binding deleted", "topology", "broker", binding_deleted, (0, 1), 20),
    Fault("queue deleted", "topology", "broker", queue_deleted, (0, 1), 20),
    Fault("permission revoked", "permission", "broker", permission_revoked, (2, 4), 20),
]
