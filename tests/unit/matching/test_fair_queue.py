"""Nobody is passed over for ever, and whoever has few options is not last."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import numpy as np
import pytest

from services.matching import solver
from services.matching.domain.assignment import NOBODY, assign
from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import Mode, Need, Peer, Policy

TODAY = date(2026, 11, 23)
POLICY = Policy()
NEED = Need(on=TODAY, languages=("en",), modes=(Mode.VIDEO,), topics=frozenset({"grief"}))
PEER = Peer(
    id=UUID(int=1),
    organisation_id=UUID(int=900),
    languages=("en",),
    modes=(Mode.VIDEO,),
    location=None,
    area=None,
    topics=frozenset({"grief"}),
    access=frozenset(),
    gender=None,
    age_band=None,
    certified_until=TODAY,
    cleared_for_minors=False,
    is_active=True,
    capacity=1,
    places_taken=0,
)
RARE = replace(NEED, languages=("nv",), topics=frozenset({"work"}))


def days_until_served(policy: Policy, most: int) -> int | None:
    """One place a day; every day somebody new and urgent comes whom that peer suits perfectly."""
    index = PeerIndex()
    index.put([PEER])
    ours = replace(NEED, topics=frozenset({"work"}))  # the peer shares nothing with this one
    waiting = [(ours, 0, 0)]
    for day in range(most):
        waiting.append((NEED, day, 2))
        values = np.zeros((len(waiting), 1), np.int32)
        for row, (need, came, urgency) in enumerate(waiting):
            found = index.suitable(need, policy)
            values[row, found.columns] = policy.worth(
                found.points, waited_days=day - came, urgency=urgency
            )
        chosen = assign(values, index.free_places(), solver.solve).chosen
        (served,) = np.flatnonzero(chosen != NOBODY)
        if served == 0:
            return day
        del waiting[served]
    return None


def test_whoever_waits_is_served_whatever_comes_in_meanwhile() -> None:
    day = days_until_served(POLICY, 1_000)

    assert day is not None
    bonus = 2 * POLICY.per_step_of_urgency + POLICY.weights["topics"]
    assert day == pytest.approx(bonus / POLICY.per_day_waited, abs=1)


def test_without_the_days_they_waited_they_would_wait_for_ever() -> None:
    assert days_until_served(replace(POLICY, per_day_waited=0), 1_000) is None


def test_one_who_only_one_peer_suits_is_proposed_that_place_among_thousands() -> None:
    """Thousands wait as long, and all of them like this very peer best."""
    only = replace(PEER, languages=("en", "nv"), id=UUID(int=2), topics=frozenset({"grief"}))
    others = [
        replace(PEER, id=UUID(int=number), topics=frozenset(), capacity=20)
        for number in range(10, 60)
    ]
    index = PeerIndex()
    index.put([only, *others])
    needs = [*[NEED] * 2_000, RARE]
    values = np.zeros((len(needs), len(index)), np.int32)
    for row, need in enumerate(needs):
        found = index.suitable(need, POLICY)
        values[row, found.columns] = POLICY.worth(
            found.points, waited_days=30, added=POLICY.added_for(found.options, len(index))
        )

    chosen = assign(values, index.free_places(), solver.solve).chosen

    assert index.peer_ids[chosen[-1]] == only.id
    assert np.count_nonzero(chosen != NOBODY) == 1_001


def test_full_peers_are_options_too_and_paused_ones_are_not() -> None:
    index = PeerIndex()
    full, paused = replace(PEER, places_taken=1), replace(PEER, is_active=False, id=UUID(int=3))
    index.put([full, paused, replace(PEER, id=UUID(int=4))])

    found = index.suitable(NEED, POLICY)

    assert (len(found.columns), found.options) == (1, 2)


def test_more_is_added_the_fewer_peers_would_suit_and_nothing_beyond_enough() -> None:
    added = [POLICY.added_for(options, 100) for options in range(101)]

    assert added == sorted(added, reverse=True)
    assert added[0] == POLICY.few_options
    assert added[POLICY.few_options_percent :] == [0] * (101 - POLICY.few_options_percent)
    assert POLICY.added_for(0, 0) == 0
