"""The whole main job per second: with more replicas, and with many referrals stored already.

A job is a referral, its acceptance, offer, choice, the peer's acceptance and a booking, taken
step by step by callers side by side; it counts once the peer's schedule notice is delivered.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

from tests.acceptance.running import eventually
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import (
    PRINTED,
    Figure,
    Goal,
    Measured,
    Measurement,
    alternate,
    ratio_of,
)
from tests.benchmarks.job import Callers, notices_delivered, shortlists_of
from tests.benchmarks.load import side_by_side
from tests.benchmarks.measured import Measured as System
from tests.benchmarks.measured import measured, open_region
from tests.benchmarks.seeding import Seeding

GROWTH, THROUGHPUT = "pipeline.growth", "pipeline.throughput"
FEW, MANY = 1_000, 200_000
AT_ONCE, JOBS, WARM_UP = 12, 36, 24
MORE_REPLICAS = (2, 4)
_DELIVERED_SECONDS = 120.0


class Jobs:
    """Does main jobs on one system; each call brings jobs per second."""

    def __init__(self, system: System, callers: Callers) -> None:
        self.system = system
        self.callers = callers
        self.done = 0

    def do(self, count: int) -> float:
        numbers: Sequence[int] = range(self.done, self.done + count)
        began = time.monotonic()
        with shortlists_of(self.system) as shortlists:
            side_by_side(AT_ONCE, numbers, lambda number: self.callers.do(number, shortlists))
        self.done += count
        eventually(self._is_told, "every notice is delivered", seconds=_DELIVERED_SECONDS)
        return count / (time.monotonic() - began)

    def _is_told(self) -> bool:
        return notices_delivered(self.system) >= self.done


def start(stack: ExitStack, name: str, replicas: int, stored: int) -> Jobs:
    """A warm system with this many referrals stored."""
    system = stack.enter_context(measured(name, replicas))
    region = open_region(system)
    Seeding(system, region).store(1, stored)
    jobs = Jobs(system, Callers(system, region))
    jobs.do(WARM_UP)
    return jobs


def run(bench: Bench) -> Mapping[str, Measured]:
    found: dict[str, Measured] = {}
    if bench.wants(GROWTH) or bench.wants(f"{THROUGHPUT}.1"):
        found |= growth(with_many=bench.wants(GROWTH))
    for replicas in MORE_REPLICAS:
        name = f"{THROUGHPUT}.{replicas}"
        if bench.wants(name):
            with ExitStack() as stack:
                jobs = start(stack, f"replicas-{replicas}", replicas, FEW)
                rounds = [jobs.do(JOBS) for _ in range(3)]
            found[name] = Measured(value=median(rounds), details={"rounds": rounds})
    return found


def growth(*, with_many: bool) -> Mapping[str, Measured]:
    """Two systems side by side, so that both meet the same disturbances."""
    with ExitStack() as stack:
        sides: dict[str, Callable[[], float]] = {}
        stored = {"few": FEW} | ({"many": MANY} if with_many else {})
        for name, count in stored.items():
            jobs = start(stack, f"stored-{name}", 1, count)
            sides[name] = partial(jobs.do, JOBS)
        rounds = alternate(sides)
    details = {"rounds": rounds, "jobs_a_round": JOBS, "callers": AT_ONCE}
    found = {f"{THROUGHPUT}.1": Measured(value=median(rounds["few"]), details=details)}
    if with_many:
        found[GROWTH] = Measured(
            value=median(rounds["many"]),
            ratio=ratio_of(rounds, "many", "few"),
            vs=f"{FEW} stored referrals",
            details=details,
        )
    return found


MEASUREMENTS = [
    Measurement(
        figures=[
            Figure(f"{THROUGHPUT}.1", "jobs/s", PRINTED),
            Figure(f"{THROUGHPUT}.2", "jobs/s", PRINTED),
            Figure(f"{THROUGHPUT}.4", "jobs/s", PRINTED),
            Figure(GROWTH, "jobs/s", Goal(">=", 0.9, "ratio")),
        ],
        run=run,
        most_seconds=600,  # four systems, one of them with much to store first
    )
]
