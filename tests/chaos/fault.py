"""What a fault is: its kind and group, the lane in which it waits its turn, and how it is done."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.injections import Injections
from tests.chaos.node import Node
from tests.chaos.system import DisturbedSystem


@dataclass(frozen=True)
class Scene:
    """What a fault acts on."""

    system: DisturbedSystem
    node: Node
    injections: Injections

    @property
    def postgres_data(self) -> Path:
        return self.system.run_folder / "postgres" / "data"


# Disturbs on entering, rights it on leaving, and says at whom it was aimed.
Act = Callable[[Scene, random.Random], AbstractContextManager[str]]


@dataclass(frozen=True)
class Fault:
    kind: str
    group: str
    lane: str  # faults of one lane never meet; those of different lanes do
    act: Act
    seconds: tuple[float, float] = (0.0, 0.0)  # how long it lasts
    goal: float = 10.0  # seconds from its end until all flows again, where it is alone


class Missed(Exception):
    """The fault found nothing to disturb, so it does not count."""
