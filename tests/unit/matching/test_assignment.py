"""The batch assignment against others' solvers and every possibility, and its certificate."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from services.matching import solver
from services.matching.domain.assignment import (
    NOBODY,
    Assignment,
    Places,
    Values,
    assign,
    assign_greedily,
    certify,
)


def market(
    seed: int, clients: int, peers: int, *, most: int = 5_000, dense: float = 0.4, places: int = 3
) -> tuple[Values, Places]:
    """Values and places; a small `most` makes many ties."""
    random = np.random.default_rng(seed)
    values = random.integers(1, most + 1, (clients, peers))
    values[random.random((clients, peers)) > dense] = 0
    return values.astype(np.int32), random.integers(0, places + 1, peers)


def by_linear_sum(values: Values, places: Places) -> int:
    """Every place a column of its own, and for each client one of being served by nobody."""
    expanded = np.repeat(values, places, axis=1)
    padded = np.hstack((expanded, np.zeros((len(values), len(values)), np.int32)))
    rows, columns = linear_sum_assignment(padded, maximize=True)
    return int(padded[rows, columns].sum())


def by_trying_all(values: Values, places: Places) -> int:
    best = 0
    for chosen in product(range(-1, len(places)), repeat=len(values)):
        taken = np.bincount([one for one in chosen if one >= 0], minlength=len(places))
        if (taken > places).any():
            continue
        worth = [values[client, peer] for client, peer in enumerate(chosen) if peer >= 0]
        if all(worth):
            best = max(best, int(sum(worth)))
    return best


@pytest.mark.parametrize("most", [1, 3, 5_000])
@pytest.mark.parametrize(
    ("clients", "peers", "places"), [(300, 60, 3), (300, 60, 9), (120, 200, 1), (40, 7, 2)]
)
@pytest.mark.parametrize("listed", [2, 20])
def test_it_is_worth_what_scipys_is_and_proves_it(
    clients: int, peers: int, places: int, most: int, listed: int
) -> None:
    values, free = market(clients + peers, clients, peers, most=most, places=places)

    found = assign(values, free, solver.solve, listed=listed)

    certificate = certify(values, free, found)
    assert certificate.value == by_linear_sum(values, free)
    assert certificate.is_proven


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    clients=st.integers(1, 6),
    peers=st.integers(1, 4),
    most=st.sampled_from([1, 2, 50]),
)
def test_of_few_no_other_assignment_is_worth_more(
    seed: int, clients: int, peers: int, most: int
) -> None:
    values, free = market(seed, clients, peers, most=most, places=2)

    certificate = certify(values, free, assign(values, free, solver.solve, listed=1))

    assert certificate.value == by_trying_all(values, free)
    assert certificate.is_proven


@pytest.mark.parametrize("seed", range(6))
def test_of_seven_people_no_other_assignment_is_worth_more(seed: int) -> None:
    values, free = market(seed, 7, 3, most=40, dense=0.8, places=2)

    certificate = certify(values, free, assign(values, free, solver.solve, listed=1))

    assert certificate.value == by_trying_all(values, free)
    assert certificate.is_proven


def test_the_same_input_gives_the_same_assignment_and_another_order_the_same_worth() -> None:
    values, free = market(1, 80, 30, most=4)
    first = assign(values, free, solver.solve)
    random = np.random.default_rng(2)
    rows, columns = random.permutation(80), random.permutation(30)
    shuffled = values[np.ix_(rows, columns)]

    again = assign(values, free, solver.solve)
    other = assign(shuffled, free[columns], solver.solve)

    assert np.array_equal(first.chosen, again.chosen)
    assert np.array_equal(first.prices, again.prices)
    assert certify(shuffled, free[columns], other).value == certify(values, free, first).value
    assert np.array_equal(other.prices, first.prices[columns])  # the least prices are one only


def test_another_peer_never_lowers_the_worth_and_another_client_no_price() -> None:
    for seed in range(20):
        values, free = market(seed, 30, 10, places=2)
        fewer_peers = assign(values[:, :-1], free[:-1], solver.solve)
        fewer_clients = assign(values[:-1], free, solver.solve)
        whole = assign(values, free, solver.solve)

        worth = certify(values, free, whole).value
        assert worth >= certify(values[:, :-1], free[:-1], fewer_peers).value
        assert (whole.prices >= fewer_clients.prices).all()


def test_twice_the_values_are_twice_the_worth_and_the_prices() -> None:
    values, free = market(3, 60, 20)

    once, twice = (assign(times * values, free, solver.solve) for times in (1, 2))

    assert np.array_equal(twice.prices, 2 * once.prices)
    assert certify(2 * values, free, twice).value == 2 * certify(values, free, once).value


def test_a_peer_whom_nobody_needs_changes_nothing_when_gone() -> None:
    values, free = market(4, 10, 12, places=4)
    whole = assign(values, free, solver.solve)
    unused = next(peer for peer in range(12) if peer not in whole.chosen)

    without = assign(np.delete(values, unused, 1), np.delete(free, unused), solver.solve)

    worth = certify(np.delete(values, unused, 1), np.delete(free, unused), without).value
    assert worth == certify(values, free, whole).value


@pytest.mark.parametrize("found", [assign_greedily, partial(assign, solve=solver.solve)])
def test_nobody_and_no_places_are_a_whole_answer(found: object) -> None:
    for clients, peers in ((0, 0), (0, 3), (3, 0), (3, 2)):
        values, free = np.ones((clients, peers), np.int32), np.zeros(peers, np.int64)
        assigned: Assignment = found(values, free)  # type: ignore[operator]
        assert (assigned.chosen == NOBODY).all()
        assert certify(values, free, assigned).is_proven


def test_the_greedy_one_is_an_assignment_that_says_how_far_it_may_be_from_the_best() -> None:
    for seed in range(20):
        values, free = market(seed, 60, 12)

        greedy = certify(values, free, assign_greedily(values, free))
        best = certify(values, free, assign(values, free, solver.solve))

        assert greedy.problems == ()
        assert greedy.value <= best.value <= greedy.bound


def change(array: NDArray[np.int64], at: int, to: int) -> NDArray[np.int64]:
    changed = array.copy()
    changed[at] = to
    return changed


def test_the_certificate_refuses_what_was_tampered_with() -> None:
    values, free = market(5, 50, 12, places=2)
    found = assign(values, free, solver.solve)
    served = int(np.flatnonzero(found.chosen != NOBODY)[0])
    full = int(np.argmax(found.prices))
    cannot = int(np.flatnonzero(values[served] == 0)[0])
    may = int(np.flatnonzero((values[:, full] > 0) & (found.chosen != full))[0])

    tampered = {
        "somebody is left out": Assignment(change(found.chosen, served, NOBODY), found.prices),
        "two who may not meet": Assignment(change(found.chosen, served, cannot), found.prices),
        "one place too many": Assignment(change(found.chosen, may, full), found.prices),
        "a peer who is not there": Assignment(change(found.chosen, served, 99), found.prices),
        "one below nobody": Assignment(change(found.chosen, served, -2), found.prices),
        "another price": Assignment(found.chosen, change(found.prices, full, 0)),
        "a price below nothing": Assignment(found.chosen, change(found.prices, full, -5)),
        "one client fewer": Assignment(found.chosen[1:], found.prices),
        "one price fewer": Assignment(found.chosen, found.prices[1:]),
    }

    assert certify(values, free, found).is_proven
    accepted = [what for what, one in tampered.items() if certify(values, free, one).is_proven]
    assert accepted == []
