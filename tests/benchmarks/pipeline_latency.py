"""From a referral's 201 to its shortlist, at 20 referrals a second, beside the floor."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks.bare import floor
from tests.benchmarks.bare_side import floor_beside
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement, alternate, ratio_of
from tests.benchmarks.job import SHORTLISTED, Callers, Shortlists, referral, shortlists_of
from tests.benchmarks.load import Client, at_a_rate, percentile
from tests.benchmarks.measured import measured, open_region

PER_SECOND, COUNT, WARM_UP = 20, 120, 60
P50, P99 = "pipeline.latency.p50", "pipeline.latency.p99"


@dataclass(frozen=True)
class Side:
    """One of the two: how it takes a referral, and how its shortlist is read."""

    submit: Callable[[int], str]
    shortlists: Shortlists
    read: Callable[[str], Any]

    def seconds(self, number: int) -> float:
        """From the answer's arrival until the shortlist was there; then somebody reads it."""
        referral_id = self.submit(number)
        answered = time.monotonic()
        came = self.shortlists.wait_for(referral_id)
        self.read(referral_id)
        return max(came - answered, 0.0)

    def round(self) -> list[float]:
        return at_a_rate(COUNT, PER_SECOND, self.seconds)


def kindred(callers: Callers, shortlists: Shortlists) -> Side:
    return Side(lambda number: callers.submit(number)["id"], shortlists, callers.read_shortlist)


def bare(url: str, shortlists: Shortlists) -> Side:
    client = Client(url)

    def submit(number: int) -> str:
        answer = client.call("POST", floor.SUBMIT, body=referral(number)).expect(201)
        return str(answer.body["id"])

    def read(referral_id: str) -> Any:
        return client.call("GET", f"{floor.SHORTLIST}{referral_id}/shortlist").expect(200)

    return Side(submit, shortlists, read)


def run(_: Bench) -> Mapping[str, Measured]:
    with measured("latency") as system:
        callers = Callers(system, open_region(system))
        with (
            floor_beside(system) as (url, dsn),
            shortlists_of(system) as ours,
            Shortlists(dsn, SHORTLISTED) as theirs,
        ):
            sides = {"kindred": kindred(callers, ours), "floor": bare(url, theirs)}
            for side in sides.values():
                at_a_rate(WARM_UP, PER_SECOND, side.seconds)
            taken: dict[str, list[list[float]]] = {name: [] for name in sides}
            alternate({name: _keeping(side, taken[name]) for name, side in sides.items()})
    return {P50: _at(0.5, taken), P99: _at(0.99, taken)}


def _keeping(side: Side, kept: list[list[float]]) -> Callable[[], float]:
    def measure() -> float:
        kept.append(side.round())
        return median(kept[-1])

    return measure


def _at(share: float, taken: Mapping[str, list[list[float]]]) -> Measured:
    rounds = {
        name: [percentile(one, share) * 1000 for one in rounds] for name, rounds in taken.items()
    }
    return Measured(
        value=median(rounds["kindred"]),
        ratio=ratio_of(rounds, "kindred", "floor"),
        vs="the bare chain",
        details={"rounds_ms": rounds, "referrals_a_round": COUNT, "per_second": PER_SECOND},
    )


MEASUREMENTS = [
    Measurement(
        figures=[
            Figure(P50, "ms", Goal("<=", 3, "ratio")),
            Figure(P99, "ms", Goal("<=", 10, "ratio")),
        ],
        run=run,
    )
]
