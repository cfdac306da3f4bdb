"""One line a figure, and .run/bench.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure, Measured


@dataclass(frozen=True)
class Line:
    figure: Figure
    measured: Measured

    @property
    def is_reached(self) -> bool:
        return self.figure.goal.is_reached(self.measured)

    def __str__(self) -> str:
        parts = ["BENCH", self.figure.name, _number(self.measured.value), self.figure.unit]
        if self.measured.ratio is not None:
            parts += [f"ratio={_number(self.measured.ratio)}", f"vs={self.measured.vs}"]
        return " ".join([*parts, f"goal={self.figure.goal}"])

    def as_json(self) -> dict[str, object]:
        goal = self.figure.goal
        return {
            "name": self.figure.name,
            "value": self.measured.value,
            "unit": self.figure.unit,
            "ratio": self.measured.ratio,
            "vs": self.measured.vs,
            "goal": {"on": goal.on, "op": goal.op, "bound": goal.bound},
            "reached": self.is_reached,
            "details": self.measured.details,
        }


def write_json(path: Path, lines: Sequence[Line]) -> None:
    path.write_text(json.dumps([line.as_json() for line in lines], indent=2, default=str) + "\n")


def summary(lines: Sequence[Line], unmeasured: Sequence[str]) -> str:
    missed = [line.figure.name for line in lines if not line.is_reached]
    text = f"{len(lines)} figures; goals missed: {', '.join(missed) or 'none'}"
    return f"{text}; not measured: {', '.join(unmeasured)}" if unmeasured else text


def _number(value: float) -> str:
    """Enough digits to compare by, none to be impressed by."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
