"""Faults on the way to broker, database and mail server, and mails that get no answer."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.chaos.fault import Fault, Scene
from tests.chaos.mail_server import SILENT
from tests.chaos.supervisor import BROKER, DATABASE, MAIL

_BEYOND_A_CONFIRM = 6.0
_MANNERS: dict[str, dict[str, Any]] = {
    "half-open": {"half_open": True},
    "slow": {"latency": 0.05, "jitter": 0.1, "bytes_per_second": 50_000},
    "in slices": {"slice_bytes": 7},
    "late to answer": {"answer_latency": _BEYOND_A_CONFIRM},
}


@contextmanager
def misbehaving(scene: Scene, _: random.Random, *, link: str, manner: str) -> Iterator[str]:
    scene.system.links[link].behave(**_MANNERS[manner])
    try:
        yield link
    finally:
        scene.system.links[link].heal()


@contextmanager
def cut(scene: Scene, rng: random.Random, *, link: str) -> Iterator[str]:
    """Some connection in the middle of a frame, and then all that are open."""
    scene.system.links[link].cut_after(rng.randrange(1, 2_000))
    yield link
    scene.system.links[link].cut()


@contextmanager
def silent_after_success(scene: Scene, _: random.Random) -> Iterator[str]:
    """The mail server takes each mail and says nothing, until the sender gives up."""
    mark = scene.system.mail_folder / SILENT
    mark.touch()
    try:
        yield "mail"
    finally:
        mark.unlink()


def _of_link(link: str, manners: dict[str, tuple[float, float]]) -> Iterator[Fault]:
    for manner, seconds in manners.items():
        act = partial(misbehaving, link=link, manner=manner)
        yield Fault(f"{link} link {manner}", f"links {manner}", link, act, seconds, 20)
    yield Fault(f"{link} link cut", "links cut", link, partial(cut, link=link), (0.5, 1))


FAULTS = [
    *_of_link(
        BROKER, {"half-open": (3, 6), "slow": (3, 5), "in slices": (2, 4), "late to answer": (6, 8)}
    ),
    *_of_link(DATABASE, {"half-open": (3, 6), "slow": (3, 5)}),
    *_of_link(MAIL, {"half-open": (3, 6)}),
    Fault(
        "mail server silent after success", "mail answers", "mail", silent_after_success, (4, 8), 30
    ),
]
