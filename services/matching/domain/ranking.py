"""Which peers suit a need, in what order, and why; whoever does not suit is ruled out by a rule."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
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


@dataclass(frozen=True, kw_only=True)
class Candidate:
    peer_id: UUID
    points: int
    modes: tuple[Mode, ...]
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]


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
    share_a_mode = set(need.modes) & set(peer.modes)
    broken = {
        Rule.CONSENT: not _may_learn(need, peer),
        Rule.EXCLUDED: peer.id in need.excluded_peer_ids | need.former_peer_ids,
        Rule.PAUSED: not peer.is_active,
        Rule.LANGUAGE: not _primary(need.languages) & _primary(peer.languages),
        Rule.MODE: not share_a_mode,
        Rule.PLACE: bool(share_a_mode) and not modes,
        Rule.CERTIFICATE: peer.certified_until < need.on,
        Rule.MINORS: need.is_minor and not peer.cleared_for_minors,
        Rule.CAPACITY: peer.places_taken >= peer.capacity,
    }
    return next((rule for rule in Rule if broken[rule]), None)


def _candidate(need: Need, peer: Peer, modes: tuple[Mode, ...], policy: Policy) -> Candidate:
    parts = [
        _topics(need, peer),
        _distance(need, peer, modes, policy),
        _modes(need, modes),
        _wish("gender", need.peer_genders, peer.gender),
        _wish("age-band", need.peer_age_bands, peer.age_band),
        _access(need, peer),
        _load(peer),
    ]
    return Candidate(
        peer_id=peer.id,
        points=sum(policy.weights[part.name] * part.share // part.of for part in parts),
        modes=modes,
        reasons_for=tuple(part.speaks_for for part in parts if part.speaks_for),
        reasons_against=tuple(part.speaks_against for part in parts if part.speaks_against),
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One component of the points: `share` of `of`, and what it says for or against."""

    name: str
    share: int
    of: int
    speaks_for: Reason | None = None
    speaks_against: Reason | None = None


def _counted(name: str, code: str, otherwise: str, met: int, wished: int) -> _Part:
    """A component that counts wishes met; without a wish everybody has it in full."""
    if not wished:
        return _Part(name=name, share=1, of=1)
    return _Part(
        name=name,
        share=met,
        of=wished,
        speaks_for=Reason(code=code, counts={"met": met, "of": wished}) if met else None,
        speaks_against=(
            Reason(code=otherwise, counts={"open": wished - met, "of": wished})
            if met < wished
            else None
        ),
    )


def _topics(need: Need, peer: Peer) -> _Part:
    shared = len(need.topics & peer.topics)
    return _counted("topics", "topics-shared", "topics-not-shared", shared, len(need.topics))


def _modes(need: Need, modes: tuple[Mode, ...]) -> _Part:
    return _counted("modes", "modes-shared", "modes-not-shared", len(modes), len(need.modes))


def _access(need: Need, peer: Peer) -> _Part:
    met = len(need.access_needs & peer.access)
    return _counted("access", "access-needs-met", "access-needs-open", met, len(need.access_needs))


def _wish(name: str, wished: frozenset[str], given: str | None) -> _Part:
    met = int(given in wished)
    return _counted(name, f"{name}-wish-met", f"{name}-wish-open", met, 1 if wished else 0)


def _distance(need: Need, peer: Peer, modes: tuple[Mode, ...], policy: Policy) -> _Part:
    if Mode.IN_PERSON not in need.modes:
        return _Part(name="distance", share=1, of=1)
    if Mode.IN_PERSON not in modes:
        against = Reason(code="not-in-person")
        return _Part(name="distance", share=0, of=1, speaks_against=against)
    apart = _whole_kilometres(need, peer)
    if apart is None:
        return _Part(name="distance", share=1, of=2, speaks_for=Reason(code="same-area"))
    reason = Reason(code="kilometres-apart", counts={"kilometres": apart})
    is_near = 2 * apart <= policy.max_kilometres
    return _Part(
        name="distance",
        share=policy.max_kilometres - apart,
        of=policy.max_kilometres,
        speaks_for=reason if is_near else None,
        speaks_against=None if is_near else reason,
    )


def _load(peer: Peer) -> _Part:
    free = peer.capacity - peer.places_taken
    reason = Reason(code="places-free", counts={"free": free, "of": peer.capacity})
    is_free = 2 * free >= peer.capacity
    return _Part(
        name="load",
        share=free,
        of=peer.capacity,
        speaks_for=reason if is_free else None,
        speaks_against=None if is_free else reason,
    )


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


def _primary(languages: Iterable[str]) -> set[str]:
    """Language subtags only: es-MX and es-US understand each other (BCP 47, RFC 5646)."""
    return {language.partition("-")[0].lower() for language in languages}
