"""Whom to propose to whom when many wait: the assignment that is worth most, and its proof.

Every pair that may meet has a value, every peer so many places. Only each client's best few pairs
are given to a solver; prices for the peers' places, taken from its answer, then show whether any
pair that was left out would have been better. Such pairs are added until there are none: the
answer is then the best of all pairs, and the prices prove it to whoever adds them up, without the
solver (linear programming duality; a price is what one more place of that peer would be worth).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int32]
Places = NDArray[np.int64]
Prices = NDArray[np.int64]
Chosen = NDArray[np.int64]

NOBODY: Final = -1
CANNOT: Final = 0  # the value of a pair that may not meet; every other is above it
LISTED: Final = 20  # of each client's pairs, to begin with
_STRIDE: Final = 7919  # a prime, so that it goes through all columns of nearly any number of them
AT_ONCE: Final = 64  # clients whose rows are looked at together: as many as a cache holds


@dataclass(frozen=True)
class Edges:
    """Pairs of a client and a peer, with their values, in the order of clients, then peers."""

    clients: NDArray[np.int64]
    peers: NDArray[np.int64]
    values: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clients)


# Gives each client a peer of one of the edges, or nobody, so that the sum of values is the most.
Solver = Callable[[Edges, int, Places], Chosen]


class NotOptimal(Exception):
    """The solver's answer is not the best of the edges it was given."""


@dataclass(frozen=True)
class Assignment:
    """A peer's column for each client's row, or `NOBODY`; and a price for each peer's places."""

    chosen: Chosen
    prices: Prices
    loops: int = 1


@dataclass(frozen=True)
class Certificate:
    """What anybody can add up from values, places, an assignment and its prices.

    No assignment is worth more than `bound`, whatever the prices are; `problems` says what makes
    this one no assignment at all.
    """

    value: int
    bound: int
    served: int
    problems: tuple[str, ...] = ()

    @property
    def gap(self) -> int:
        return self.bound - self.value

    @property
    def is_proven(self) -> bool:
        return not self.problems and self.gap == 0


def assign(values: Values, places: Places, solve: Solver, *, listed: int = LISTED) -> Assignment:
    """The assignment of the greatest value over all pairs, with the least prices that prove it."""
    edges = best_pairs(values, places, listed)
    loops = 0
    while True:
        loops += 1
        chosen = solve(edges, len(values), places)
        prices = least_prices(edges, chosen, len(places))
        better, gap = pairs_left_out(values, chosen, prices, listed)
        if not len(better):
            return Assignment(chosen, prices, loops)
        edges = _joined(_that_may_count(edges, chosen, prices, gap), better)


def assign_greedily(values: Values, places: Places) -> Assignment:
    """The most valuable pair first, without a proof: for where there is no solver.

    The price of a full peer is the worth of the last place that somebody else wanted; it makes
    the bound narrower than none, not tight.
    """
    rows, columns = np.nonzero(values)
    worth = values[rows, columns]
    free = places.copy()
    chosen = np.full(len(values), NOBODY, np.int64)
    prices = np.zeros(len(places), np.int64)
    unserved = len(np.unique(rows))
    for one in np.lexsort((columns, rows, -worth)).tolist():
        client, peer = rows[one], columns[one]
        if chosen[client] != NOBODY:
            continue
        if free[peer]:
            free[peer] -= 1
            chosen[client] = peer
            unserved -= 1
            if not unserved:
                break
        else:
            prices[peer] = max(prices[peer], worth[one])
    return Assignment(chosen, prices)


def best_pairs(values: Values, places: Places, listed: int) -> Edges:
    """Each client's most valuable pairs with peers who have a place."""
    open_ = np.flatnonzero(places > 0)
    found = []
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE][:, open_]
        best = _greatest(some, start + np.arange(len(some)), listed)
        worth = np.take_along_axis(some, best, axis=1)
        rows, at = np.nonzero(worth > CANNOT)
        found.append((rows + start, open_[best[rows, at]], worth[rows, at]))
    return _edges(found)


def least_prices(edges: Edges, chosen: Chosen, peers: int) -> Prices:
    """The least prices at which nobody would rather have another peer of the edges.

    Least fixed point: a place is worth what whoever is left without it would gain by it.
    """
    prices = np.zeros(peers, np.int64)
    if not len(edges):
        return prices
    order = np.argsort(edges.peers, kind="stable")
    clients, to, worth = edges.clients[order], edges.peers[order], edges.values[order]
    own = _own_values(edges, chosen)
    has = chosen != NOBODY
    at = np.where(has, chosen, 0)
    first = np.flatnonzero(np.r_[True, to[1:] != to[:-1]])
    wanted = to[first]
    other = to != np.where(has, chosen, NOBODY)[clients]
    for _ in range(len(chosen) + 2):
        kept = np.where(has, own - prices[at], 0)
        gain = np.where(other, worth - kept[clients], 0)
        raised = prices.copy()
        raised[wanted] = np.maximum(prices[wanted], np.maximum.reduceat(gain, first))
        if np.array_equal(raised, prices):
            return prices
        prices = raised
    raise NotOptimal


def pairs_left_out(values: Values, chosen: Chosen, prices: Prices, most: int) -> tuple[Edges, int]:
    """Pairs that their client would rather have at these prices, the most wanted of each client.

    And by how much the assignment may be short of the best: what all of them would gain together.
    """
    found, gap = [], 0
    prices = prices.astype(values.dtype)  # none is above the greatest value
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        mine = chosen[start : start + AT_ONCE]
        gain = np.where(some > CANNOT, some - prices, 0)
        has = mine != NOBODY
        kept = np.zeros(len(some), gain.dtype)
        kept[has] = gain[has, mine[has]]
        gain -= kept[:, None]
        most_gained = gain.max(axis=1, initial=0)
        rows = np.flatnonzero(most_gained)
        if not len(rows):
            continue
        gap += int(most_gained.sum())
        best = _greatest(gain[rows], start + rows, most)
        of, at = np.nonzero(np.take_along_axis(gain[rows], best, axis=1) > 0)
        peers = best[of, at]
        found.append((rows[of] + start, peers, some[rows[of], peers]))
    return _edges(found), gap


def certify(values: Values, places: Places, assignment: Assignment) -> Certificate:
    """Add up what an assignment is worth, and beyond what none can be, by its prices."""
    chosen, prices = assignment.chosen, assignment.prices
    problems = []
    if len(chosen) != len(values) or len(prices) != len(places):
        return Certificate(0, 0, 0, ("its size is not that of the input",))
    if chosen.size and (chosen.min() < NOBODY or chosen.max() >= len(places)):
        return Certificate(0, 0, 0, ("it names a peer who is not there",))
    has = chosen != NOBODY
    own = values[np.flatnonzero(has), chosen[has]].astype(np.int64)
    if (own <= CANNOT).any():
        problems.append("it pairs two who may not meet")
    if (np.bincount(chosen[has], minlength=len(places)) > places).any():
        problems.append("it takes more places than there are")
    if (prices < 0).any():
        problems.append("a price is below nothing")
    bound = int((np.maximum(places, 0) * prices).sum())
    for start in range(0, len(values), AT_ONCE):
        some = values[start : start + AT_ONCE]
        gain = np.where(some > CANNOT, some - prices, 0)
        bound += int(gain.max(axis=1, initial=0).sum())
    return Certificate(int(own.sum()), bound, int(has.sum()), tuple(problems))


def _that_may_count(edges: Edges, chosen: Chosen, prices: Prices, gap: int) -> Edges:
    """Without the pairs that cost more against what their client has than all others could gain.

    None of them is in any best assignment, so the solver is spared them (reduced-cost fixing).
    """
    own = _own_values(edges, chosen)
    has = chosen != NOBODY
    kept = np.where(has, own - prices[np.where(has, chosen, 0)], 0)
    cost = kept[edges.clients] - (edges.values - prices[edges.peers])
    may = cost <= gap
    return Edges(edges.clients[may], edges.peers[may], edges.values[may])


def _greatest(
    of: NDArray[np.integer[Any]], rows: NDArray[np.int64], count: int
) -> NDArray[np.intp]:
    """The columns of the greatest in each row; of equals, others in every row.

    If all took the same ones, the lists of many clients with equal values would hold a few peers
    only, and the solver had to be asked again and again.
    """
    columns = of.shape[1]
    if columns <= count:
        return np.broadcast_to(np.arange(columns), of.shape)
    is_small = (int(np.abs(of).max(initial=0)) + 1) * columns <= np.iinfo(np.int32).max
    kind = np.int32 if is_small else np.int64  # half as much memory to go through
    turned = np.arange(columns, dtype=kind) + (rows * _STRIDE % columns).astype(kind)[:, None]
    turned -= (turned >= columns) * kind(columns)
    keys: NDArray[Any] = of.astype(kind)
    keys *= kind(columns)
    keys += turned
    return np.argpartition(keys, columns - count, axis=1)[:, columns - count :]


def _own_values(edges: Edges, chosen: Chosen) -> NDArray[np.int64]:
    own = np.zeros(len(chosen), np.int64)
    taken = edges.peers == chosen[edges.clients]
    own[edges.clients[taken]] = edges.values[taken]
    return own


def _edges(found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]]) -> Edges:
    if not found:
        empty = np.zeros(0, np.int64)
        return Edges(empty, empty, empty)
    parts = zip(*found, strict=True)
    return _in_order(*(np.concatenate(part).astype(np.int64) for part in parts))


def _joined(edges: Edges, more: Edges) -> Edges:
    return _in_order(
        np.concatenate((edges.clients, more.clients)),
        np.concatenate((edges.peers, more.peers)),
        np.concatenate((edges.values, more.values)),
    )


def _in_order(
    clients: NDArray[np.int64], peers: NDArray[np.int64], values: NDArray[np.int64]
) -> Edges:
    order = np.lexsort((peers, clients))
    return Edges(clients[order], peers[order], values[order])
