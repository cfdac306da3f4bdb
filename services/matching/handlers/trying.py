"""Another policy on the queue as it is, without any effect: what would be proposed by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from services.matching import solver
from services.matching.domain.assignment import NOBODY, Chosen, assign, assign_greedily
from services.matching.domain.ranking import Policy
from services.matching.handlers.proposing import URGENCY, Begin, Input, gather


@dataclass(frozen=True)
class Trial:
    """What a policy would do for those who wait now; shares are of 1."""

    people: int
    served: int
    urgent_served: float
    few_options_served: float
    others_served: float
    mean_points: float
    mean_days_waited: float  # of those served
    chosen: Chosen


def try_policy(begin: Begin, policy: Policy) -> tuple[Trial, Trial]:
    """What the active policy would propose, and this one; points are each by its own weights."""
    with begin() as work:
        given = gather(work)
    # Few options by the same measure for both, or the two groups would not be the same people.
    few = _with_few_options(given)
    return _tried(given, few), _tried(replace(given, policy=policy), few)


def differing(active: Trial, tried: Trial) -> int:
    """How many people would be proposed somebody else, or anybody in place of nobody."""
    return int((active.chosen != tried.chosen).sum())


def _with_few_options(given: Input) -> Sequence[bool]:
    index = given.index()
    return [
        given.policy.has_few(index.suitable(one.need, given.policy).options, len(index))
        for one in given.people
    ]


def _tried(given: Input, few: Sequence[bool]) -> Trial:
    index = given.index()
    (values, points), places = given.scored(index), index.free_places()
    by_solver = solver.is_there()
    found = assign(values, places, solver.solve) if by_solver else assign_greedily(values, places)
    is_served = found.chosen != NOBODY
    served = is_served.nonzero()[0].tolist()
    urgent = {at: one.urgency == URGENCY["urgent"] for at, one in enumerate(given.people)}
    has_few = dict(enumerate(few))
    return Trial(
        people=len(given.people),
        served=len(served),
        urgent_served=_share(served, urgent, wanted=True),
        few_options_served=_share(served, has_few, wanted=True),
        others_served=_share(served, has_few, wanted=False),
        mean_points=mean([int(points[at, found.chosen[at]]) for at in served] or [0]),
        mean_days_waited=mean([given.people[at].waited_days for at in served] or [0]),
        chosen=found.chosen,
    )


def _share(served: Sequence[int], of: Mapping[int, bool], *, wanted: bool) -> float:
    count = sum(is_so == wanted for is_so in of.values())
    return sum(of[at] == wanted for at in served) / count if count else 1.0
