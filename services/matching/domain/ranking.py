"""What ranking speaks of: needs, peers, rules, and how much each part of a match is worth.

`peer_index` finds who suits whom, many peers at a time; what makes up the points of one peer, and
the reasons in which they are told, is said here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.chassis.places import Point

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


class Opening(StrEnum):
    """What a client could allow besides, each by itself, so that more peers suit."""

    VIDEO = "video"
    PHONE = "phone"
    IN_PERSON = "in-person"
    FURTHER_AWAY = "further-away"
    ANOTHER_ORGANISATION = "another-organisation"


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
        return primary(self.languages)

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
    """Which points a region gives for what. No study shows that a weight improves outcomes.

    `served`, `per_day_waited` and `per_step_of_urgency` say what it is worth, in the same points,
    that somebody has a peer at all: more than the best of peers in place of a good one, and more
    with every day, without an end, so that nobody is passed over for ever. `few_options` is added
    for whom hardly anybody would suit, full or not, and less the more peers would, up to
    `few_options_percent` of them all: for these people another peer does not come along soon.
    """

    version: int = 1
    max_kilometres: int = 40
    shortlist_length: int = 10
    served: int = 20_000
    per_day_waited: int = 25
    per_step_of_urgency: int = 2_500
    few_options: int = 10_000
    few_options_percent: int = 10
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
        if self.max_kilometres < 1:
            raise ValueError("points by distance are of at least one kilometre")
        if sum(self.weights.values()) != POINTS:
            raise ValueError(f"the weights of policy {self.version} do not sum to {POINTS}")

    def has_few(self, options: int, peers: int) -> bool:
        return 100 * options <= self.few_options_percent * peers

    def added_for(self, options: int, peers: int) -> int:
        """What is added for somebody whom so many of all peers would suit.

        By the square of how far it is to having enough: most of it goes to those with next to
        nobody, of whom there are few.
        """
        enough = self.few_options_percent * peers
        missing = max(0, enough - 100 * options)
        return self.few_options * missing**2 // enough**2 if missing else 0

    def worth(self, points: Any, *, waited_days: int, urgency: int = 0, added: int = 0) -> Any:
        """What it is worth that somebody gets a peer of these points; `points` may be an array."""
        waited = self.per_day_waited * waited_days
        return self.served + waited + self.per_step_of_urgency * urgency + added + points


class Reason(NamedTuple):
    """A code and the numbers that its sentence needs; never a topic, a wish or an access need."""

    code: str
    counts: Mapping[str, int]


class Candidate(NamedTuple):
    """A peer who suits, and the parts of which the points are the exact sum."""

    peer_id: UUID
    organisation_id: UUID
    points: int
    modes: tuple[Mode, ...]
    parts: "tuple[Part, ...]"

    @property
    def reasons_for(self) -> tuple[Reason, ...]:
        return tuple([part.speaks_for for part in self.parts if part.speaks_for])

    @property
    def reasons_against(self) -> tuple[Reason, ...]:
        return tuple([part.speaks_against for part in self.parts if part.speaks_against])


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The best candidates by points, ties by id, and how many others there are, and why.

    `ruled_out` counts each peer once, under the first rule that they break; `openings` counts,
    for each thing to allow, the peers who would suit if that alone were allowed.
    """

    candidates: tuple[Candidate, ...]
    suitable: int
    ruled_out: Mapping[str, int]
    openings: Mapping[str, int]


class Facts(NamedTuple):
    """All of a suitable peer that the points depend on."""

    topics_shared: int
    modes: tuple[Mode, ...]
    kilometres: int | None  # None where one of the two has no known address
    gender_wished: bool
    age_band_wished: bool
    access_met: int
    capacity: int
    free: int


NOTHING: Final[Mapping[str, int]] = {}


class Part(NamedTuple):
    """One component of the points: `share` of `of`, and what it says for or against."""

    name: str
    share: int
    of: int
    speaks_for: Reason | None = None
    speaks_against: Reason | None = None


def parts(need: Need, facts: Facts, policy: Policy) -> tuple[Part, ...]:
    """Take a suitable peer's points apart."""
    return (
        _counted("topics", "topics-shared", "topics-not-shared", facts.topics_shared, need.topics),
        _distance(need, facts, policy),
        _counted("modes", "modes-shared", "modes-not-shared", len(facts.modes), need.modes),
        _wish("gender", facts.gender_wished, need.peer_genders),
        _wish("age-band", facts.age_band_wished, need.peer_age_bands),
        _counted(
            "access", "access-needs-met", "access-needs-open", facts.access_met, need.access_needs
        ),
        _load(facts),
    )


def worth(part: Part, policy: Policy) -> int:
    """The part's points: whole, rounded down, so that every engine counts alike."""
    return policy.weights[part.name] * part.share // part.of


def primary(languages: Iterable[str]) -> frozenset[str]:
    """Language subtags only: es-MX and es-US understand each other (BCP 47, RFC 5646)."""
    return frozenset(language.partition("-")[0].lower() for language in languages)


def plain(area: str) -> str:
    """An area's name without what people write differently."""
    return area.strip().casefold()


def _counted(name: str, code: str, otherwise: str, met: int, wishes: Collection[str]) -> Part:
    """A component that counts wishes met; without a wish everybody has it in full."""
    wished = len(wishes)
    if not wished:
        return Part(name, 1, 1)
    speaks_for = Reason(code, {"met": met, "of": wished}) if met else None
    still_open = wished - met
    against = Reason(otherwise, {"open": still_open, "of": wished}) if still_open else None
    return Part(name, met, wished, speaks_for, against)


def _wish(name: str, is_met: bool, wished: frozenset[str]) -> Part:
    one_of = ("any",) if wished else ()
    return _counted(name, f"{name}-wish-met", f"{name}-wish-open", int(is_met), one_of)


def _distance(need: Need, facts: Facts, policy: Policy) -> Part:
    if Mode.IN_PERSON not in need.modes:
        return Part("distance", 1, 1)
    if Mode.IN_PERSON not in facts.modes:
        return Part("distance", 0, 1, speaks_against=Reason("not-in-person", NOTHING))
    apart = facts.kilometres
    if apart is None:
        return Part("distance", 1, 2, speaks_for=Reason("same-area", NOTHING))
    reason = Reason("kilometres-apart", {"kilometres": apart})
    share, of = policy.max_kilometres - apart, policy.max_kilometres
    return Part("distance", share, of, *_either(reason, speaks_for=2 * apart <= of))


def _load(facts: Facts) -> Part:
    reason = Reason("places-free", {"free": facts.free, "of": facts.capacity})
    is_free = 2 * facts.free >= facts.capacity
    return Part("load", facts.free, facts.capacity, *_either(reason, speaks_for=is_free))


def _either(reason: Reason, *, speaks_for: bool) -> tuple[Reason | None, Reason | None]:
    return (reason, None) if speaks_for else (None, reason)
