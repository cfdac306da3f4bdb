"""The batch assignment against the same solver on all pairs, and against scipy's.

Clients and peers are those of the synthetic region; every side starts from the same values, and
all must come to the same worth. What scoring adds is told beside it.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
from scipy.optimize import linear_sum_assignment

from services.matching import solver
from services.matching.domain.assignment import (
    Assignment,
    Edges,
    Places,
    Values,
    assign,
    assign_greedily,
    certify,
)
from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import Policy
from tests.benchmarks.bench import ROOT, Bench
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement, alternate, ratio_of
from tests.benchmarks.load import Unexpected
from tests.benchmarks.synthetic_region import SyntheticRegion

SLACK, SCARCE, LSA, TIES, MEMORY = (
    "matching.batch.slack",
    "matching.batch.scarce",
    "matching.batch.lsa",
    "matching.batch.ties",
    "matching.batch.memory",
)
CLIENTS, PEERS = 10_000, 2_500
PLACES = {SLACK: 1.55, SCARCE: 0.8}  # to each client
ROUNDS = 3
_MB = 1024  # of what the kernel counts, kilobytes
POLICY = Policy()


@dataclass(frozen=True)
class Market:
    """Values and places; how long it took to score all pairs."""

    values: Values
    places: Places
    scoring_seconds: float = 0.0

    def ours(self) -> Assignment:
        return assign(self.values, self.places, solver.solve)

    def by_all_pairs(self) -> int:
        rows, columns = np.nonzero(self.values)
        edges = Edges(rows, columns, self.values[rows, columns].astype(np.int64))
        chosen = solver.solve(edges, len(self.values), self.places)
        return certify(self.values, self.places, Assignment(chosen, 0 * self.places)).value

    def by_scipy(self) -> int:
        expanded = np.repeat(self.values, self.places, axis=1)
        rows, columns = linear_sum_assignment(expanded, maximize=True)
        return int(expanded[rows, columns].sum())

    @cached_property
    def worth(self) -> int:
        certificate = certify(self.values, self.places, self.ours())
        if not certificate.is_proven:
            raise Unexpected(f"not proven: {certificate}")
        return certificate.value


def market(places_each: float, clients: int = CLIENTS, peers: int = PEERS) -> Market:
    region = SyntheticRegion()
    index = PeerIndex()
    index.put(region.peers(peers))
    needs = region.needs(clients)
    waited = np.random.default_rng(7).integers(0, 200, clients)
    values = np.zeros((clients, peers), np.int32)
    began = time.monotonic()
    for row, need in enumerate(needs):
        found = index.suitable(need, POLICY)
        added = POLICY.added_for(found.options, peers)
        values[row, found.columns] = POLICY.worth(
            found.points, waited_days=int(waited[row]), added=added
        )
    scoring = time.monotonic() - began
    free = index.free_places() + 1
    places = np.round(free * (places_each * clients / free.sum())).astype(np.int64)
    return Market(values, places, scoring)


def seconds(of: Market, side: Callable[[], object]) -> float:
    began = time.monotonic()
    found = side()
    taken = time.monotonic() - began
    worth = certify(of.values, of.places, found).value if isinstance(found, Assignment) else found
    if worth != of.worth:
        raise Unexpected(f"{worth} where {of.worth} is the best")
    return taken


def regime(name: str) -> tuple[Market, Measured]:
    one = market(PLACES[name])
    rounds = alternate(
        {"ours": lambda: seconds(one, one.ours), "all": lambda: seconds(one, one.by_all_pairs)},
        ROUNDS,
    )
    best = certify(one.values, one.places, one.ours())
    greedy = certify(one.values, one.places, assign_greedily(one.values, one.places))
    details = {
        "rounds": rounds,
        "scoring": one.scoring_seconds,
        "gap": best.gap,
        "served": best.served,
        "greedy_served": greedy.served,
        "greedy_loss": 1 - greedy.value / best.value,
    }
    return one, Measured(
        value=one.scoring_seconds + median(rounds["ours"]),
        ratio=ratio_of(rounds, "ours", "all"),
        vs="solver-on-all-pairs",
        details=details,
    )


def run(bench: Bench) -> Mapping[str, Measured]:
    found: dict[str, Measured] = {}
    if bench.wants(SLACK):
        found[SLACK] = regime(SLACK)[1]
    if any(map(bench.wants, (SCARCE, LSA, TIES))):
        scarce, found[SCARCE] = regime(SCARCE)
        if bench.wants(TIES):
            found[TIES] = _ties(scarce)
        if bench.wants(LSA):
            found[LSA] = _lsa(scarce)
    if bench.wants(MEMORY):
        found[MEMORY] = _memory()
    return found


def _ties(scarce: Market) -> Measured:
    same = Market((scarce.values > 0).astype(np.int32) * 20_000, scarce.places)
    rounds = alternate(
        {
            "ties": lambda: seconds(same, same.ours),
            "without": lambda: seconds(scarce, scarce.ours),
        },
        ROUNDS,
    )
    return Measured(
        value=median(rounds["ties"]),
        ratio=ratio_of(rounds, "ties", "without"),
        vs="without-ties",
        details={"rounds": rounds},
    )


def _lsa(scarce: Market) -> Measured:
    rounds = alternate(
        {
            "ours": lambda: seconds(scarce, scarce.ours),
            "lsa": lambda: seconds(scarce, scarce.by_scipy),
        },
        rounds=1,  # scipy's takes half a minute
    )
    return Measured(
        value=rounds["ours"][0],
        ratio=ratio_of(rounds, "ours", "lsa"),
        vs="scipy-linear-sum-assignment",
        details={"rounds": rounds},
    )


def _memory() -> Measured:
    """The most that a process of its own took, scoring included."""
    peaks = {side: _peak(side) for side in ("ours", "all")}
    return Measured(
        value=peaks["ours"],
        ratio=peaks["ours"] / peaks["all"],
        vs="solver-on-all-pairs",
        details={"mb": peaks},
    )


def _peak(side: str) -> float:
    program = (
        "from tests.benchmarks import matching_batch as batch;"
        f" one = batch.market(batch.PLACES[batch.SCARCE]); side = {side!r};"
        " one.ours() if side == 'ours' else one.by_all_pairs(); print(batch.peak_kilobytes())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return int(ran.stdout.split()[-1]) / _MB


def peak_kilobytes() -> int:
    """What this program took at the most; what `getrusage` says begins with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


MEASUREMENTS = (
    Measurement(
        figures=(
            Figure(SLACK, "s", Goal("<=", 0.5, on="ratio")),
            Figure(SCARCE, "s", Goal("<=", 0.5, on="ratio")),
            Figure(LSA, "s", Goal("<=", 1 / 15, on="ratio")),
            Figure(TIES, "s", Goal("<=", 1.5, on="ratio")),
            Figure(MEMORY, "MB", Goal("<=", 0.5, on="ratio")),
        ),
        run=run,
    ),
)
