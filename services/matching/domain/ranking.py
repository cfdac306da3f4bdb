"""Which peers suit a need, in what order, and why; whoever does not suit is ruled out by a rule."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from services.chassis.places import Point, kilometres

POINTS: Final = 10_000


class Mode(StrEnum):
    IN_PERSON = "in-person"
    VIDEO = "video"
    PHONE = "phone"


class Rule(StrEnum):
    """Why a peer is out of the question, in the order in which it is asked."""

    CONSENT = "consent"
    EXCLUDED = "excluded"
    PAUSED = "paused"
    LANGUAGE = "language"
    MODE = "mode"
    PLACE = "place"
    CERTIFICATE = "certificate"
    MINORS = "minors"
    CAPACITY = "capacity"


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a referral asks for, and the day on which a peer's certificate must be valid."""

    on: date
    languages: tuple[str, ...]
    modes: tuple[Mode, ...]
    location: Point | None = None
    area: str | None = None
    is_minor: bool = False
    topics: frozenset[str] = frozenset()
    access_needs: frozenset[str] = frozenset()
    peer_genders: frozenset[str] = frozenset()
    peer_age_bands: frozenset[str] = frozenset()
    organisation_ids: frozenset[UUID] | None = None  # who may learn of the person; None is all
    excluded_peer_ids: frozenset[UUID] = frozenset()
    former_peer_ids: frozenset[UUID] = frozenset()

    @cached_property
    def spoken(self) -> frozenset[str]:
        return _primary(self.languages)

    @cached_property
    def unwanted_peer_ids(self) -> frozenset[UUID]:
        return self.excluded_peer_ids | self.former_peer_ids


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What ranking knows of a peer; `area` is their organisation's."""

    id: UUID
    organisation_id: UUID
    languages: tuple[str, ...]
    modes: tuple[Mode, ...]
    location: Point | None
    area: str | None
    topics: frozenset[str]
    access: frozenset[str]
    gender: str | None
    age_band: str | None
    certified_until: date
    cleared_for_minors: bool
    is_active: bool
    capacity: int
    places_taken: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Which points a region gives for what. No study shows that a weight improves outcomes."""

    version: int = 1
    max_kilometres: int = 40
    shortlist_length: int = 10
    weights: Mapping[str, int] = field(
        default_factory=lambda: {
            "topics": 3500,
            "distance": 1500,
            "modes": 1000,
            "gender": 1000,
            "age-band": 500,
            "access": 1000,
            "load": 1500,
        }
    )

    def __post_init__(self) -> None:
        if sum(self.weights.values()) != POINTS:
            raise ValueError(f"the weights of policy {self.version} do not sum to {POINTS}")


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A code and the numbers that its sentence needs; never a topic, a wish or an access need."""

    code: str
    counts: Mapping[str, int] = field(default_factory=dict)


class Candidate(NamedTuple):
    """A peer who suits; the reasons are put into words only for whoever is shown."""

    peer_id: UUID
    points: int
    modes: tuple[Mode, ...]
    parts: "tuple[Part, ...]"

    @property
    def reasons_for(self) -> tuple[Reason, ...]:
        return tuple(_reasons(part.speaks_for for part in self.parts))

    @property
    def reasons_against(self) -> tuple[Reason, ...]:
        return tuple(_reasons(part.speaks_against for part in self.parts))


@dataclass(frozen=True, kw_only=True)
class Ranking:
    candidates: tuple[Candidate, ...]
    ruled_out: tuple[tuple[UUID, Rule], ...]

    def counts_by_rule(self) -> dict[str, int]:
        return {rule.value: count for rule, count in Counter(r for _, r in self.ruled_out).items()}


def rank(need: Need, peers: Iterable[Peer], policy: Policy) -> Ranking:
    """Order the suitable peers by points, ties by id; the order of the input does not matter."""
    candidates = []
    ruled_out = []
    for peer in peers:
        modes = ways_to_meet(need, peer, policy)
        rule = first_broken_rule(need, peer, modes)
        if rule is None:
            candidates.append(_candidate(need, peer, modes, policy))
        else:
            ruled_out.append((peer.id, rule))
    return Ranking(
        candidates=tuple(sorted(candidates, key=lambda one: (-one.points, one.peer_id))),
        ruled_out=tuple(sorted(ruled_out)),
    )


def ways_to_meet(need: Need, peer: Peer, policy: Policy) -> tuple[Mode, ...]:
    """The modes that both want and that the place allows, in the client's order."""
    return tuple(
        mode
        for mode in need.modes
        if mode in peer.modes and (mode != Mode.IN_PERSON or _near(need, peer, policy))
    )


def first_broken_rule(need: Need, peer: Peer, modes: tuple[Mode, ...]) -> Rule | None:
    return next((rule for rule, is_broken in _BROKEN if is_broken(need, peer, modes)), None)


def _candidate(need: Need, peer: Peer, modes: tuple[Mode, ...], policy: Policy) -> Candidate:
    parts = (
        _topics(need, peer),
        _distance(need, peer, modes, policy),
        _modes(need, modes),
        _wish("gender", need.peer_genders, peer.gender),
        _wish("age-band", need.peer_age_bands, peer.age_band),
        _access(need, peer),
        _load(peer),
    )
    points = sum(policy.weights[part.name] * part.share // part.of for part in parts)
    return Candidate(peer.id, points, modes, parts)


# What a reason is made of: its code and counts.
Said = tuple[str, Mapping[str, int]]
NOTHING: Final[Mapping[str, int]] = {}


class Part(NamedTuple):
    """One component of the points: `share` of `of`, and what it says for or against."""

    name: str
    share: int
    of: int
    speaks_for: Said | None = None
    speaks_against: Said | None = None


def _reasons(said: Iterable[Said | None]) -> Iterator[Reason]:
    return (Reason(code=one[0], counts=one[1]) for one in said if one)


def _counted(name: str, code: str, otherwise: str, met: int, wished: int) -> Part:
    """A component that counts wishes met; without a wish everybody has it in full."""
    if not wished:
        return Part(name, 1, 1)
    speaks_for = (code, {"met": met, "of": wished}) if met else None
    is_open = met < wished
    speaks_against = (otherwise, {"open": wished - met, "of": wished}) if is_open else None
    return Part(name, met, wished, speaks_for, speaks_against)


def _topics(need: Need, peer: Peer) -> Part:
    shared = len(need.topics & peer.topics)
    return _counted("topics", "topics-shared", "topics-not-shared", shared, len(need.topics))


def _modes(need: Need, modes: tuple[Mode, ...]) -> Part:
    return _counted("modes", "modes-shared", "modes-not-shared", len(modes), len(need.modes))


def _access(need: Need, peer: Peer) -> Part:
    met = len(need.access_needs & peer.access)
    return _counted("access", "access-needs-met", "access-needs-open", met, len(need.access_needs))


def _wish(name: str, wished: frozenset[str], given: str | None) -> Part:
    met = int(given in wished)
    return _counted(name, f"{name}-wish-met", f"{name}-wish-open", met, 1 if wished else 0)


def _distance(need: Need, peer: Peer, modes: tuple[Mode, ...], policy: Policy) -> Part:
    if Mode.IN_PERSON not in need.modes:
        return Part("distance", 1, 1)
    if Mode.IN_PERSON not in modes:
        return Part("distance", 0, 1, speaks_against=("not-in-person", NOTHING))
    apart = _whole_kilometres(need, peer)
    if apart is None:
        return Part("distance", 1, 2, speaks_for=("same-area", NOTHING))
    reason = ("kilometres-apart", {"kilometres": apart})
    share, of = policy.max_kilometres - apart, policy.max_kilometres
    return Part("distance", share, of, *_either(reason, speaks_for=2 * apart <= of))


def _load(peer: Peer) -> Part:
    free = peer.capacity - peer.places_taken
    reason = ("places-free", {"free": free, "of": peer.capacity})
    is_free = 2 * free >= peer.capacity
    return Part("load", free, peer.capacity, *_either(reason, speaks_for=is_free))


def _either(reason: Said, *, speaks_for: bool) -> tuple[Said | None, Said | None]:
    return (reason, None) if speaks_for else (None, reason)


def _may_learn(need: Need, peer: Peer) -> bool:
    return need.organisation_ids is None or peer.organisation_id in need.organisation_ids


def _near(need: Need, peer: Peer, policy: Policy) -> bool:
    apart = _whole_kilometres(need, peer)
    if apart is not None:
        return apart <= policy.max_kilometres
    return need.area is not None and peer.area is not None and _same(need.area, peer.area)


def _whole_kilometres(need: Need, peer: Peer) -> int | None:
    if need.location is None or peer.location is None:
        return None
    return int(kilometres(need.location, peer.location))


def _same(area: str, other: str) -> bool:
    return area.strip().casefold() == other.strip().casefold()


def _primary(languages: Iterable[str]) -> frozenset[str]:
    """Language subtags only: es-MX and es-US understand each other (BCP 47, RFC 5646)."""
    return frozenset(language.partition("-")[0].lower() for language in languages)


def _shares_a_mode(need: Need, peer: Peer) -> bool:
    return any(mode in peer.modes for mode in need.modes)


_Asked = Callable[[Need, Peer, tuple[Mode, ...]], bool]

# Whether a peer breaks each rule, in the order in which they are asked; the first one counts.
_BROKEN: Final[tuple[tuple[Rule, _Asked], ...]] = (
    (Rule.CONSENT, lambda need, peer, _: not _may_learn(need, peer)),
    (Rule.EXCLUDED, lambda need, peer, _: peer.id in need.unwanted_peer_ids),
    (Rule.PAUSED, lambda _, peer, __: not peer.is_active),
    (Rule.LANGUAGE, lambda need, peer, _: need.spoken.isdisjoint(_primary(peer.languages))),
    (Rule.MODE, lambda need, peer, modes: not modes and not _shares_a_mode(need, peer)),
    (Rule.PLACE, lambda need, peer, modes: not modes and _shares_a_mode(need, peer)),
    (Rule.CERTIFICATE, lambda need, peer, _: peer.certified_until < need.on),
    (Rule.MINORS, lambda need, peer, _: need.is_minor and not peer.cleared_for_minors),
    (Rule.CAPACITY, lambda _, peer, __: peer.places_taken >= peer.capacity),
)
