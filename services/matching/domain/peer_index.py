"""All peers of a deployment as columns, so that one need is compared with 100,000 in milliseconds.

Each fact of the peers is an array; a rule or a part of the points is a few operations on whole
arrays. Sets of words (languages, topics) are bits. What the arrays say is whole numbers only, so
that ranking one peer after the other in plain Python gives the very same lists; a test holds the
two against each other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.chassis.places import EARTH_KILOMETRES, Point, kilometres
from services.matching.domain.ranking import (
    Candidate,
    Facts,
    Mode,
    Need,
    Opening,
    Peer,
    Policy,
    Ranking,
    Rule,
    parts,
    plain,
    primary,
    worth,
)

Bits = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Name = TypeVar("Name")

NOWHERE: Final = 0  # the place of whoever has no known address
FAR: Final = np.iinfo(np.int32).max  # so many kilometres from nowhere to anywhere
NOT_GIVEN: Final = 0
WORD: Final = 64
MODE_BITS: Final = {mode: 1 << position for position, mode in enumerate(Mode)}
# Two ways to compute a distance agree to within nanometres; nearer than this to a whole kilometre
# the exact one decides on which side.
DOUBTFUL: Final = 1e-6


class UnexplainedPoints(Exception):
    """The points of a candidate are not the sum of what is told about them: a bug."""


@dataclass
class _Codes(Generic[Name]):
    """Numbers for names, from 1 on; 0 stands for none."""

    codes: dict[Name, int] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)

    def learn(self, name: Name | None) -> int:
        if name is None:
            return NOT_GIVEN
        if name not in self.codes:
            self.names.append(name)
            self.codes[name] = len(self.names)
        return self.codes[name]

    def name(self, code: int) -> Name:
        return self.names[code - 1]

    def flags(self, names: Iterable[Name]) -> Flags:
        """Which codes stand for one of these names; code 0 never does."""
        flags = np.zeros(len(self.names) + 1, bool)
        flags[[self.codes[name] for name in names if name in self.codes]] = True
        return flags


@dataclass
class _Sets:
    """A set of words for each peer: a bit for each word ever seen, 64 of them to a column."""

    capacity: int
    bits: dict[str, int] = field(default_factory=dict)
    columns: list[Bits] = field(default_factory=list)

    def put(self, slots: Sequence[int], sets: Sequence[Collection[str]]) -> None:
        for word in sorted(set().union(*sets) - self.bits.keys()):
            self.bits[word] = len(self.bits)
        while len(self.columns) * WORD < len(self.bits):
            self.columns.append(np.zeros(self.capacity, np.uint64))
        masks = [self._masks(words) for words in sets]
        for position, column in enumerate(self.columns):
            column[slots] = np.array([one[position] for one in masks], np.uint64)

    def grow(self, capacity: int) -> None:
        self.capacity = capacity
        self.columns = [_longer(column, capacity) for column in self.columns]

    def shared(self, words: Collection[str], peers: Any) -> Whole:
        """How many of the words each of these peers has."""
        count = np.zeros(len(self._of(0, peers)), np.int64)
        for position, mask in enumerate(self._masks(words)):
            if mask:
                count += np.bitwise_count(self._of(position, peers) & np.uint64(mask))
        return count

    def meets(self, words: Collection[str], peers: Any) -> Flags:
        """Whether each of these peers has any of the words."""
        found = np.zeros(len(self._of(0, peers)), bool)
        for position, mask in enumerate(self._masks(words)):
            if mask:
                found |= (self._of(position, peers) & np.uint64(mask)) != 0
        return found

    def _of(self, position: int, peers: Any) -> Bits:
        if not self.columns:
            self.columns.append(np.zeros(self.capacity, np.uint64))
        column: Bits = self.columns[position][peers]
        return column

    def _masks(self, words: Collection[str]) -> list[int]:
        masks = [0] * len(self.columns)
        for word in words:
            bit = self.bits.get(word)
            if bit is not None:
                masks[bit // WORD] |= 1 << bit % WORD
        return masks


@dataclass
class _Places:
    """The points at which peers live: far fewer than peers, so distances are taken to these."""

    known: dict[Point, int] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    _radians: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def learn(self, point: Point | None) -> int:
        if point is None:
            return NOWHERE
        if point not in self.known:
            self.points.append(point)
            self.known[point] = len(self.points)
        return self.known[point]

    def kilometres_from(self, here: Point | None) -> NDArray[np.int32]:
        """Whole kilometres to each place; `FAR` to nowhere, and from nowhere to anywhere."""
        apart = np.full(len(self.points) + 1, FAR, np.int32)
        if here is None or not self.points:
            return apart
        if len(self._radians) < len(self.points):
            self._radians = np.radians(np.array(self.points))
        exact = self._haversine(here)
        apart[1:] = exact
        doubtful = np.abs(exact - np.rint(exact)) < DOUBTFUL
        for place in np.flatnonzero(doubtful).tolist():
            apart[place + 1] = int(kilometres(here, self.points[place]))
        return apart

    def _haversine(self, here: Point) -> NDArray[np.float64]:
        latitude, longitude = np.radians(here)
        lift = np.sin((self._radians[:, 0] - latitude) / 2) ** 2
        turn = np.sin((self._radians[:, 1] - longitude) / 2) ** 2
        chord = lift + np.cos(latitude) * np.cos(self._radians[:, 0]) * turn
        apart: NDArray[np.float64] = 2 * EARTH_KILOMETRES * np.arcsin(np.sqrt(chord).clip(max=1.0))
        return apart


class Suitable(NamedTuple):
    """The columns of all who suit a need, their points, and how many would if nobody were full."""

    columns: NDArray[np.intp]
    points: Whole
    options: int


class Standing(NamedTuple):
    """Every rule that a peer breaks, or the peer as a candidate; and how many suit."""

    broken: tuple[Rule, ...]
    candidate: Candidate | None
    suitable: int


@dataclass
class _Judged:
    """What the hard rules say of all peers."""

    suitable: Flags
    ruled_out: dict[str, int]
    only: dict[Rule, Flags]  # who breaks this rule and no other


@dataclass(frozen=True)
class _Look:
    """All peers as one need sees them."""

    apart: NDArray[np.int32]  # kilometres to each place
    near: Flags
    met: NDArray[np.uint8]  # bits of the ways to meet that both want and the place allows
    judged: _Judged
    slots: NDArray[np.intp]  # who suits


def _longer(column: NDArray[Any], capacity: int) -> NDArray[Any]:
    longer = np.zeros(capacity, column.dtype)
    longer[: len(column)] = column
    return longer


class PeerIndex:
    """Peers in memory, by columns. Not safe to change and to ask at the same time."""

    def __init__(self) -> None:
        self._slots: dict[UUID, int] = {}
        self._ids: list[UUID] = []
        self._capacity = 64
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(self._capacity, type_)
            for name, type_ in {
                "id_begins": np.uint64,
                "organisation": np.int32,
                "modes": np.uint8,
                "place": np.int32,
                "gender": np.int16,
                "age_band": np.int16,
                "certified_until": np.int32,
                "cleared_for_minors": np.bool_,
                "is_active": np.bool_,
                "capacity": np.int32,
                "taken": np.int32,
            }.items()
        }
        self._languages = _Sets(self._capacity)
        self._topics = _Sets(self._capacity)
        self._access = _Sets(self._capacity)
        self._organisations: _Codes[UUID] = _Codes()
        self._genders: _Codes[str] = _Codes()
        self._age_bands: _Codes[str] = _Codes()
        self._areas: dict[UUID, str | None] = {}
        self._places = _Places()
        self._values: dict[str, Callable[[Peer], int]] = {
            "id_begins": lambda peer: peer.id.int >> WORD,
            "organisation": lambda peer: self._organisations.learn(peer.organisation_id),
            "modes": lambda peer: _bits(peer.modes),
            "place": lambda peer: self._places.learn(peer.location),
            "gender": lambda peer: self._genders.learn(peer.gender),
            "age_band": lambda peer: self._age_bands.learn(peer.age_band),
            "certified_until": lambda peer: peer.certified_until.toordinal(),
            "cleared_for_minors": lambda peer: peer.cleared_for_minors,
            "is_active": lambda peer: peer.is_active,
            "capacity": lambda peer: peer.capacity,
            "taken": lambda peer: peer.places_taken,
        }

    def __len__(self) -> int:
        return len(self._ids)

    def put(self, peers: Iterable[Peer]) -> None:
        """Add these peers, or take over what changed of them."""
        several = list({peer.id: peer for peer in peers}.values())
        if not several:
            return
        slots = [self._slot(peer.id) for peer in several]
        for name, value_of in self._values.items():
            self._columns[name][slots] = [value_of(peer) for peer in several]
        self._languages.put(slots, [primary(peer.languages) for peer in several])
        self._topics.put(slots, [peer.topics for peer in several])
        self._access.put(slots, [peer.access for peer in several])
        self.place({peer.organisation_id: peer.area for peer in several})

    def place(self, areas: Mapping[UUID, str | None]) -> None:
        """Take over in which area each of these organisations is, and so their peers."""
        self._areas.update({id_: area and plain(area) for id_, area in areas.items()})

    def remove(self, peer_ids: Iterable[UUID]) -> None:
        """Forget these peers, where they are known."""
        for peer_id in peer_ids:
            slot = self._slots.pop(peer_id, None)
            if slot is None:
                continue
            last = self._ids.pop()
            if last != peer_id:
                self._ids[slot] = last
                self._slots[last] = slot
                for column in self._all_columns():
                    column[slot] = column[len(self._ids)]

    @property
    def peer_ids(self) -> Sequence[UUID]:
        """Whose the columns of `suitable` are."""
        return self._ids

    def languages(self) -> frozenset[str]:
        """All that anybody speaks, or ever spoke."""
        return frozenset(self._languages.bits)

    def free_places(self) -> Whole:
        """Of each peer; none where they hold more people than they would take now."""
        free: Whole = (self._of("capacity") - self._of("taken")).astype(np.int64)
        return free.clip(min=0)

    def suitable(self, need: Need, policy: Policy) -> "Suitable":
        """Everybody who suits, for whoever compares many needs at once."""
        look = self._look(need, policy)
        full = int(np.count_nonzero(look.judged.only[Rule.CAPACITY]))
        points = self._facts(need, look).points(need, policy)
        return Suitable(look.slots, points, len(look.slots) + full)

    def rank(self, need: Need, policy: Policy) -> Ranking:
        """The best peers for a need, who else there is, and what would open more."""
        look = self._look(need, policy)
        return Ranking(
            candidates=self._best(need, look, policy),
            suitable=len(look.slots),
            ruled_out=look.judged.ruled_out,
            openings=self._openings(need, look.judged.only, look.near),
        )

    def stands(self, need: Need, peer_id: UUID, policy: Policy) -> "Standing | None":
        """Whether one peer suits a need, or all that is in the way; None if not known."""
        slot = self._slots.get(peer_id)
        if slot is None:
            return None
        look = self._look(need, policy)
        slots = look.slots
        broken = tuple(
            rule for rule, breaks in self._broken(need, look.met).items() if breaks[slot]
        )
        if broken:
            return Standing(broken, None, len(slots))
        facts, at = self._facts(need, look), int(np.searchsorted(slots, slot))
        points = int(facts.points(need, policy)[at])
        return Standing((), self._candidate(need, slot, facts.of(at), points, policy), len(slots))

    def _look(self, need: Need, policy: Policy) -> "_Look":
        apart = self._places.kilometres_from(need.location)
        near = self._near(need, apart, policy)
        met = self._of("modes") & self._wanted(need.modes, near)
        judged = self._judge(need, met)
        return _Look(apart, near, met, judged, np.flatnonzero(judged.suitable))

    def _slot(self, peer_id: UUID) -> int:
        slot = self._slots.get(peer_id)
        if slot is None:
            slot = self._slots[peer_id] = len(self._ids)
            self._ids.append(peer_id)
            if len(self._ids) > self._capacity:
                self._grow()
        return slot

    def _grow(self) -> None:
        self._capacity *= 2
        for name, column in self._columns.items():
            self._columns[name] = _longer(column, self._capacity)
        for sets in (self._languages, self._topics, self._access):
            sets.grow(self._capacity)

    def _all_columns(self) -> Iterable[NDArray[Any]]:
        sets = (self._languages, self._topics, self._access)
        return (*self._columns.values(), *(column for one in sets for column in one.columns))

    def _of(self, name: str) -> NDArray[Any]:
        return self._columns[name][: len(self._ids)]

    def _near(self, need: Need, apart: NDArray[np.int32], policy: Policy) -> Flags:
        """Who lives near enough; the organisation's area decides where an address is missing."""
        place = self._of("place")
        within: Flags = (apart <= policy.max_kilometres)[place]
        if need.area is None:
            return within
        here = plain(need.area)
        same = self._organisations.flags(id_ for id_, area in self._areas.items() if area == here)
        unknown = place == NOWHERE if need.location is not None else np.True_
        near: Flags = within | (unknown & same[self._of("organisation")])
        return near

    def _wanted(self, modes: Iterable[Mode], near: Flags) -> NDArray[np.uint8]:
        """For each peer, the bits of the modes that are wanted and that the place allows."""
        bits = _bits(modes)
        in_person = bits & MODE_BITS[Mode.IN_PERSON]
        nearby: NDArray[np.uint8] = near.view(np.uint8) * np.uint8(in_person)
        return nearby | np.uint8(bits - in_person)

    def _judge(self, need: Need, met: NDArray[np.uint8]) -> _Judged:
        broken = self._broken(need, met)
        suitable = np.ones(len(self), bool)
        count = np.zeros(len(self), np.uint8)
        ruled_out = {}
        for rule, breaks in broken.items():
            count += breaks
            if first := int(np.count_nonzero(suitable & breaks)):
                ruled_out[rule.value] = first
                suitable &= ~breaks
        lone = count == 1
        only = {rule: broken[rule] & lone for rule in _RELAXABLE if rule in broken}
        return _Judged(suitable, ruled_out, only)

    def _broken(self, need: Need, met: NDArray[np.uint8]) -> dict[Rule, Flags]:
        """Who breaks each rule, in the order in which rules are asked; rules nobody can break
        are left out."""
        broken = {}
        if need.organisation_ids is not None:
            named = self._organisations.flags(need.organisation_ids)
            broken[Rule.CONSENT] = ~named[self._of("organisation")]
        if unwanted := [self._slots[id_] for id_ in need.unwanted_peer_ids if id_ in self._slots]:
            broken[Rule.EXCLUDED] = np.zeros(len(self), bool)
            broken[Rule.EXCLUDED][unwanted] = True
        broken[Rule.PAUSED] = ~self._of("is_active")
        broken[Rule.LANGUAGE] = ~self._languages.meets(need.spoken, slice(len(self)))
        shared = (self._of("modes") & np.uint8(_bits(need.modes))) != 0
        broken[Rule.MODE] = ~shared
        broken[Rule.PLACE] = shared & (met == 0)
        broken[Rule.CERTIFICATE] = self._of("certified_until") < need.on.toordinal()
        if need.is_minor:
            broken[Rule.MINORS] = ~self._of("cleared_for_minors")
        broken[Rule.CAPACITY] = self._of("taken") >= self._of("capacity")
        return broken

    def _openings(self, need: Need, only: Mapping[Rule, Flags], near: Flags) -> dict[str, int]:
        unmet = only[Rule.MODE] | only[Rule.PLACE]
        opened = {
            Opening(mode.value): unmet & ((self._of("modes") & self._wanted([mode], near)) != 0)
            for mode in Mode
            if mode not in need.modes
        }
        opened[Opening.FURTHER_AWAY] = only[Rule.PLACE]
        if Rule.CONSENT in only:
            opened[Opening.ANOTHER_ORGANISATION] = only[Rule.CONSENT]
        counts = {one.value: int(np.count_nonzero(flags)) for one, flags in opened.items()}
        return {name: count for name, count in counts.items() if count}

    def _best(self, need: Need, look: "_Look", policy: Policy) -> tuple[Candidate, ...]:
        slots = look.slots
        if not len(slots):
            return ()
        facts = self._facts(need, look)
        points = facts.points(need, policy)
        best = _ahead(points, self._columns["id_begins"][slots], policy.shortlist_length)
        found = sorted(best.tolist(), key=lambda one: (-points[one], self._ids[slots[one]]))
        return tuple(
            self._candidate(need, int(slots[one]), facts.of(one), int(points[one]), policy)
            for one in found[: policy.shortlist_length]
        )

    def _facts(self, need: Need, look: "_Look") -> "_FactsOfMany":
        columns, slots = self._columns, look.slots
        return _FactsOfMany(
            topics_shared=self._topics.shared(need.topics, slots),
            modes=look.met[slots],
            kilometres=look.apart[columns["place"][slots]].astype(np.int64),
            gender_wished=self._genders.flags(need.peer_genders)[columns["gender"][slots]],
            age_band_wished=self._age_bands.flags(need.peer_age_bands)[columns["age_band"][slots]],
            access_met=self._access.shared(need.access_needs, slots),
            capacity=columns["capacity"][slots].astype(np.int64),
            taken=columns["taken"][slots].astype(np.int64),
            modes_by_bits=[
                tuple(mode for mode in need.modes if MODE_BITS[mode] & bits)
                for bits in range(1 << len(Mode))
            ],
        )

    def _candidate(
        self, need: Need, slot: int, facts: Facts, points: int, policy: Policy
    ) -> Candidate:
        of = parts(need, facts, policy)
        if sum(worth(part, policy) for part in of) != points:
            raise UnexplainedPoints
        organisation_id = self._organisations.name(int(self._columns["organisation"][slot]))
        return Candidate(self._ids[slot], organisation_id, points, facts.modes, of)


@dataclass(frozen=True, kw_only=True)
class _FactsOfMany:
    """`Facts` of all who suit, and what they are worth; the modes are bits."""

    topics_shared: Whole
    modes: NDArray[np.uint8]
    kilometres: Whole
    gender_wished: Flags
    age_band_wished: Flags
    access_met: Whole
    capacity: Whole
    taken: Whole
    modes_by_bits: Sequence[tuple[Mode, ...]]

    def points(self, need: Need, policy: Policy) -> Whole:
        """As `parts` and `worth` count for one."""
        weights = policy.weights
        points = weights["load"] * (self.capacity - self.taken) // self.capacity
        points += self._distance(need, weights["distance"], policy.max_kilometres)
        count = np.array([len(modes) for modes in self.modes_by_bits])
        for name, met, wishes in (
            ("topics", self.topics_shared, len(need.topics)),
            ("modes", count[self.modes], len(need.modes)),
            ("gender", self.gender_wished, min(1, len(need.peer_genders))),
            ("age-band", self.age_band_wished, min(1, len(need.peer_age_bands))),
            ("access", self.access_met, len(need.access_needs)),
        ):
            points += weights[name] * met // wishes if wishes else weights[name]
        return points

    def of(self, index: int) -> Facts:
        kilometres = int(self.kilometres[index])
        return Facts(
            topics_shared=int(self.topics_shared[index]),
            modes=self.modes_by_bits[self.modes[index]],
            kilometres=None if kilometres == FAR else kilometres,
            gender_wished=bool(self.gender_wished[index]),
            age_band_wished=bool(self.age_band_wished[index]),
            access_met=int(self.access_met[index]),
            capacity=int(self.capacity[index]),
            free=int(self.capacity[index] - self.taken[index]),
        )

    def _distance(self, need: Need, weight: int, furthest: int) -> Whole | int:
        if Mode.IN_PERSON not in need.modes:
            return weight
        by_distance = weight * (furthest - self.kilometres) // furthest
        by_area = np.where(self.kilometres == FAR, weight // 2, by_distance)
        return np.where(self.modes & MODE_BITS[Mode.IN_PERSON], by_area, 0)


def _bits(modes: Iterable[Mode]) -> int:
    return sum({MODE_BITS[mode] for mode in modes})


def _ahead(points: Whole, id_begins: Bits, length: int) -> NDArray[np.intp]:
    """Who may be among the first `length`: of many with the same points, the lowest ids only."""
    if len(points) <= length:
        return np.arange(len(points))
    least = np.partition(points, -length)[-length]
    before = np.flatnonzero(points > least)
    level = np.flatnonzero(points == least)
    left = length - len(before)
    if len(level) > left:
        begins = id_begins[level]
        level = level[begins <= np.partition(begins, left - 1)[left - 1]]
    return np.concatenate((before, level))


_RELAXABLE: Final[Sequence[Rule]] = (Rule.CONSENT, Rule.MODE, Rule.PLACE, Rule.CAPACITY)
