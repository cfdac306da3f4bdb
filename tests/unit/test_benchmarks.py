"""The lines of `make bench`, and when a goal counts as reached."""

from functools import partial

import pytest

from tests.benchmarks.figures import PRINTED, Figure, Goal, Measured, alternate, ratio_of
from tests.benchmarks.report import Line, summary

CONSUME = Figure("events.consume", "events/s", Goal(">=", 5, on="ratio"))
MEMORY = Figure("memory.system", "MB", Goal("<=", 900))


def test_a_line_is_as_the_contract_says() -> None:
    ratio = Line(CONSUME, Measured(value=6123.4, ratio=5.432, vs="nameko"))

    assert str(ratio) == "BENCH events.consume 6123 events/s ratio=5.43 vs=nameko goal=>=5"
    assert str(Line(MEMORY, Measured(value=612))) == "BENCH memory.system 612 MB goal=<=900"


@pytest.mark.parametrize(
    ("figure", "measured", "is_reached"),
    [
        (CONSUME, Measured(value=10, ratio=5), True),
        (CONSUME, Measured(value=10_000, ratio=4.9), False),
        (CONSUME, Measured(value=10_000), False),
        (MEMORY, Measured(value=900), True),
        (MEMORY, Measured(value=901, ratio=1), False),
        (Figure("pipeline.throughput", "referrals/s", PRINTED), Measured(value=1), True),
    ],
)
def test_a_goal_is_on_the_value_or_on_the_ratio(
    figure: Figure, measured: Measured, is_reached: bool
) -> None:
    assert Line(figure, measured).is_reached is is_reached


def test_the_summary_names_what_was_missed_and_what_was_not_measured() -> None:
    lines = [Line(CONSUME, Measured(value=1, ratio=1)), Line(MEMORY, Measured(value=1))]

    assert summary(lines, []) == "2 figures; goals missed: events.consume"
    assert summary(lines[1:], ["http.submit"]) == (
        "1 figures; goals missed: none; not measured: http.submit"
    )


def test_sides_take_turns_and_a_ratio_is_that_of_one_round() -> None:
    order: list[str] = []
    speeds = {"ours": iter([10.0, 30.0, 8.0]), "theirs": iter([2.0, 10.0, 4.0])}

    def measure(side: str) -> float:
        order.append(side)
        return next(speeds[side])

    rounds = alternate({side: partial(measure, side) for side in speeds}, 3)

    assert order == ["ours", "theirs"] * 3
    assert ratio_of(rounds, "ours", "theirs") == 3
