"""One year of a region: people come, are matched in some way, and part after a while.

The same people come on the same days and their matches last as long, whichever way it is; so a
difference between two ways is theirs. Nobody here says no, and nobody is told anything: what is
compared is who gets which place, and when.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import mean, quantiles

import numpy as np

from services.matching import solver
from services.matching.domain.assignment import (
    NOBODY,
    Assignment,
    Places,
    Values,
    assign,
    assign_greedily,
)
from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import Need, Peer, Policy
from services.matching.domain.waits import LOOKED_BACK, Wait, estimate
from tests.benchmarks.synthetic_region import SyntheticRegion

DAYS, WARM_UP = 365, 120
PEERS = 150
MEAN_DAYS_TOGETHER = 90.0
URGENCIES, URGENCY_WEIGHTS = (0, 1, 2), (70, 20, 10)
URGENT = 2
POLICY = Policy()

Choose = Callable[[Values, Places], Assignment]


@dataclass
class Somebody:
    """A person of the simulation; `options` is how many peers could ever suit them."""

    need: Need
    came: int
    urgency: int
    stays: int
    options: int
    first_chance: int | None = None
    served: int | None = None
    points: int = 0
    peer: int = -1
    told: Wait | None = None  # on the day on which they came

    @property
    def waited(self) -> int:
        return (DAYS + WARM_UP if self.served is None else self.served) - self.came


@dataclass(frozen=True)
class Way:
    """How places are given out; `at_once` ones are not kept for the night."""

    name: str
    choose: Choose


def first_come(values: Values, places: Places) -> Assignment:
    """The longest waiting first, each the best peer who still has a place."""
    free = places.copy()
    chosen = np.full(len(values), NOBODY, np.int64)
    for row, worth in enumerate(values):
        open_ = np.where(free > 0, worth, 0)
        if open_.any():
            chosen[row] = open_.argmax()
            free[chosen[row]] -= 1
    return Assignment(chosen, np.zeros(len(places), np.int64))


def proposal(values: Values, places: Places) -> Assignment:
    return assign(values, places, solver.solve)


WAYS: Sequence[Way] = (
    Way("first come", first_come),
    Way("greedy", assign_greedily),
    Way("proposal", proposal),
)


def people(load: float, peers: Sequence[Peer], seed: int) -> list[Somebody]:
    """All who come, day by day; `load` is how many places they would need to those there are."""
    random, region = Random(seed), SyntheticRegion(seed)
    index = PeerIndex()
    index.put(replace(peer, places_taken=0) for peer in peers)
    capacity = sum(peer.capacity for peer in peers)
    each_day = load * capacity / MEAN_DAYS_TOGETHER
    found = []
    came = 0.0
    while (came := came + random.expovariate(each_day)) < DAYS + WARM_UP:
        need = region.need()
        options = index.suitable(need, POLICY).options
        (urgency,) = random.choices(URGENCIES, URGENCY_WEIGHTS)
        stays = 1 + round(random.expovariate(1 / MEAN_DAYS_TOGETHER))
        found.append(Somebody(need, int(came), urgency, stays, options))
    return [one for one in found if one.options]  # nobody could ever be found for the others


def region_peers(seed: int) -> list[Peer]:
    peers = SyntheticRegion(seed).peers(PEERS)
    until = peers[0].certified_until.replace(year=2099)
    return [replace(peer, places_taken=0, is_active=True, certified_until=until) for peer in peers]


@dataclass
class Year:
    peers: list[Peer]
    coming: list[Somebody]
    way: Way
    policy: Policy = POLICY
    index: PeerIndex = field(default_factory=PeerIndex)

    def run(self) -> list[Somebody]:
        """Everybody who came, and when each was served, if they were."""
        self.index.put(self.peers)
        waiting: list[Somebody] = []
        leaving: dict[int, list[int]] = {}
        people = iter(sorted(self.coming, key=lambda one: one.came))
        following = next(people, None)
        for day in range(DAYS + WARM_UP):
            for peer in leaving.pop(day, ()):
                self._take(peer, -1)
            told = estimate(self._waits(day)) if following and following.came <= day else None
            while following is not None and following.came <= day:
                following.told = told
                waiting.append(following)
                following = next(people, None)
            waiting = self._match(waiting, day, leaving)
        return self.coming

    def _waits(self, day: int) -> Iterable[tuple[int, bool]]:
        """What is known on a day: of whoever got somebody lately, and of all who wait."""
        for one in self.coming:
            if one.came >= day:
                continue
            if one.served is None:
                yield day - one.came, False
            elif one.served >= day - LOOKED_BACK.days:
                yield one.served - one.came, True

    def _match(
        self, waiting: list[Somebody], day: int, leaving: dict[int, list[int]]
    ) -> list[Somebody]:
        places = self.index.free_places()
        if not waiting or not places.any():
            return waiting
        values = np.zeros((len(waiting), len(self.peers)), np.int32)
        points = np.zeros_like(values)
        for row, one in enumerate(waiting):
            found = self.index.suitable(one.need, self.policy)
            points[row, found.columns] = found.points
            values[row, found.columns] = self.policy.worth(
                found.points,
                waited_days=day - one.came,
                urgency=one.urgency,
                added=self.policy.added_for(one.options, len(self.peers)),
            )
            if one.first_chance is None and len(found.columns):
                one.first_chance = day
        assignment = self.way.choose(values, places)
        still = []
        for row, one in enumerate(waiting):
            peer = int(assignment.chosen[row])
            if peer == NOBODY:
                still.append(one)
                continue
            one.served, one.points, one.peer = day, int(points[row, peer]), peer
            self._take(peer, 1)
            leaving.setdefault(day + one.stays, []).append(peer)
        return still

    def _take(self, peer: int, places: int) -> None:
        changed = replace(self.peers[peer], places_taken=self.peers[peer].places_taken + places)
        self.peers[peer] = changed
        self.index.put([changed])


@dataclass(frozen=True)
class Outcome:
    """What became of those who came in the year, the first months left out."""

    came: int
    served: int
    mean_wait: float
    long_wait: float  # nine of ten waited no longer
    longest_wait: int
    urgent_wait: float
    mean_points: float
    low_points: float  # nine of ten have more
    served_few: float
    served_others: float
    told: float  # share of people to whom the three quarters of a wait could be told
    kept: float  # of those, the share whose wait then lay between the quarters that were told
    waits: Sequence[int]


def outcome(everybody: Sequence[Somebody]) -> Outcome:
    counted = [one for one in everybody if one.came >= WARM_UP]
    served = [one for one in counted if one.served is not None]
    waits = sorted(one.waited for one in counted)
    few = [one for one in counted if POLICY.has_few(one.options, PEERS)]
    others = [one for one in counted if not POLICY.has_few(one.options, PEERS)]
    points = [one.points for one in served]
    told = [one for one in counted if one.told and one.told.three_quarters is not None]
    return Outcome(
        came=len(counted),
        served=len(served),
        mean_wait=mean(waits),
        long_wait=quantiles(waits, n=10)[-1],
        longest_wait=waits[-1],
        urgent_wait=mean(one.waited for one in counted if one.urgency == URGENT),
        mean_points=mean(points),
        low_points=quantiles(points, n=10)[0],
        served_few=_share(few),
        served_others=_share(others),
        told=len(told) / len(counted),
        kept=sum(_kept(one) for one in told) / len(told) if told else 1.0,
        waits=waits,
    )


def _kept(one: Somebody) -> bool:
    """Whether the wait was within what was told; who still waits at the end waited longer."""
    if one.told is None or one.told.quarter is None or one.told.three_quarters is None:
        return False
    return one.told.quarter <= one.waited <= one.told.three_quarters


def _share(of: Sequence[Somebody]) -> float:
    return sum(one.served is not None for one in of) / len(of) if of else 1.0


def simulate(load: float, way: Way, *, policy: Policy = POLICY, seed: int = 7) -> Outcome:
    peers = region_peers(seed)
    return outcome(Year(list(peers), people(load, peers, seed), way, policy).run())
