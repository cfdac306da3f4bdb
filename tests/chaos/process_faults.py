"""Faults of our own processes: killed, stopped, restarted, ended at a point, clocks put wrong."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tests.acceptance.running import SERVICES
from tests.chaos import crash_points
from tests.chaos.fault import Fault, Missed, Scene

_POINT_SECONDS = 12.0
_HOUR = 3600


def replica(scene: Scene, rng: random.Random, service: str, role: str) -> str:
    return rng.choice(sorted(scene.system.replicas(service, role)))


@contextmanager
def killed(scene: Scene, rng: random.Random, *, service: str, role: str) -> Iterator[str]:
    name = replica(scene, rng, service, role) if role else service
    _signal(scene, name, signal.SIGKILL)
    yield name


@contextmanager
def paused(scene: Scene, rng: random.Random, *, service: str, role: str) -> Iterator[str]:
    name = replica(scene, rng, service, role) if role else service
    with standing_still(scene, [name]):
        yield name


@contextmanager
def standing_still(scene: Scene, names: list[str]) -> Iterator[None]:
    identities = [scene.system.identity(name) for name in names]
    for identity in identities:
        identity.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for identity in identities:
            identity.send(signal.SIGCONT)


@contextmanager
def restarted_in_turn(scene: Scene, rng: random.Random, *, role: str) -> Iterator[str]:
    """As an upgrade would: each replica of a service is asked to end, one after the other."""
    service = rng.choice(SERVICES)
    for name in sorted(scene.system.replicas(service, role)):
        before = scene.system.identity(name)
        before.send(signal.SIGTERM)
        until = time.monotonic() + 15
        while scene.system.identity(name) == before and time.monotonic() < until:
            time.sleep(0.1)
    yield f"{service}.{role}"


@contextmanager
def owner_away(scene: Scene, rng: random.Random) -> Iterator[str]:
    """Whoever asks this service gets no answer, whichever replica is asked."""
    service = rng.choice(("referrals", "matching", "scheduling"))
    with standing_still(scene, scene.system.replicas(service, "web")):
        yield service


@contextmanager
def ended_at(
    scene: Scene, rng: random.Random, *, point: str, services: tuple[str, ...]
) -> Iterator[str]:
    """Armed until a process of the service comes by; it counts only if one did."""
    service, points = rng.choice(services), scene.system.crash_points
    points.arm(service, point)
    try:
        until = time.monotonic() + _POINT_SECONDS
        while not points.was_hit(service, point):
            if time.monotonic() > until:
                raise Missed(f"nobody came to {point} of {service}")
            time.sleep(0.05)
        yield f"{service} at {point}"
    finally:
        points.disarm(service, point)


@contextmanager
def clock_wrong(scene: Scene, rng: random.Random, *, role: str, ahead: int) -> Iterator[str]:
    name = replica(scene, rng, rng.choice(SERVICES), role)
    scene.system.set_clock(name, ahead)
    try:
        yield name
    finally:
        scene.system.set_clock(name, 0)


@contextmanager
def slow_consumer(scene: Scene, rng: random.Random) -> Iterator[str]:
    """The workers of a service get little time: stopped most of it, for a few seconds."""
    service = rng.choice(SERVICES)
    names = scene.system.replicas(service, "worker")
    for _ in range(8):
        with standing_still(scene, names):
            time.sleep(0.45)
        time.sleep(0.1)
    yield f"{service}.worker"


def _signal(scene: Scene, name: str, number: int) -> None:
    identity = scene.system.identity(name)
    if not identity.is_alive:
        raise Missed(f"{name} is not there")
    identity.send(number)


def _of_role(role: str) -> Iterator[Fault]:
    for service in SERVICES:
        name = f"{service}.{role}"
        kill = partial(killed, service=service, role=role)
        pause = partial(paused, service=service, role=role)
        yield Fault(f"kill {name}", "processes killed", role, kill)
        yield Fault(f"pause {name}", "processes paused", role, pause, (1, 3))


def _of_server(name: str, lane: str) -> Iterator[Fault]:
    yield Fault(f"kill {name}", "processes killed", lane, partial(killed, service=name, role=""))
    pause = partial(paused, service=name, role="")
    yield Fault(f"pause {name}", "processes paused", lane, pause, (1, 3))


def _points() -> Iterator[Fault]:
    for point in crash_points.WORKER_POINTS:
        is_mail = point == crash_points.AFTER_MAIL
        services = ("notifications",) if is_mail else ("referrals", "matching", "notifications")
        act = partial(ended_at, point=point, services=services)
        # Whether the mail was taken is unknown until the attempt's lease has run out.
        goal = 20.0 if is_mail else 10.0
        yield Fault(f"end {point}", "named points", "worker", act, goal=goal)
    act = partial(ended_at, point=crash_points.BEFORE_ANSWER, services=SERVICES[:3])
    yield Fault(f"end {crash_points.BEFORE_ANSWER}", "named points", "web", act)


def _clocks(role: str) -> Iterator[Fault]:
    for name, ahead in (("ahead", _HOUR), ("behind", -_HOUR)):
        act = partial(clock_wrong, role=role, ahead=ahead)
        yield Fault(f"clock {name} {role}", "clocks", role, act, (2, 4))


def _restart(role: str) -> Fault:
    act = partial(restarted_in_turn, role=role)
    return Fault(f"restart {role} in turn", "rolling restart", role, act)


FAULTS = [
    *_of_role("web"),
    *_of_role("worker"),
    *_of_server("gateway", "web"),
    *_of_server("mail", "mail"),
    *_points(),
    *_clocks("web"),
    *_clocks("worker"),
    _restart("web"),
    _restart("worker"),
    Fault("owner away", "owner away", "web", owner_away, (3, 5)),
    Fault("slow consumer", "slow consumer", "worker", slow_consumer, goal=20),
]
