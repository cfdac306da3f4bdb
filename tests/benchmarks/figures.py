"""What a figure is, as data: its name, unit and goal, and which measurement brings its value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.benchmarks.bench import Bench

ROUNDS = 5


@dataclass(frozen=True)
class Goal:
    """A bound on a figure's value, or on its ratio to what it is compared with."""

    op: Literal[">=", "<="]
    bound: float
    on: Literal["value", "ratio"] = "value"

    def __str__(self) -> str:
        return f"{self.op}{self.bound:g}"

    def is_reached(self, measured: "Measured") -> bool:
        found = measured.ratio if self.on == "ratio" else measured.value
        if found is None:
            return False
        return found >= self.bound if self.op == ">=" else found <= self.bound


# For a figure that is only to be seen.
PRINTED = Goal(">=", 0)


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    goal: Goal


@dataclass(frozen=True, kw_only=True)
class Measured:
    """`details` goes into bench.json only: the rounds, the settings that were best."""

    value: float
    ratio: float | None = None
    vs: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One run that brings the values of one or several figures, by their names.

    It may leave out what `bench.wants` does not ask for; beyond `most_seconds` it is given up.
    """

    figures: Sequence[Figure]
    run: "Callable[[Bench], Mapping[str, Measured]]"
    most_seconds: int = 360


Rounds = dict[str, list[float]]


def alternate(sides: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> Rounds:
    """Measure the sides in turn, A B A B …, so that what disturbs one disturbs the others."""
    found: Rounds = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            found[name].append(measure())
    return found


def ratio_of(rounds: Rounds, ours: str, other: str) -> float:
    """The median of the ratios within each round: both sides of one met the same disturbances."""
    return median(one / two for one, two in zip(rounds[ours], rounds[other], strict=True))
