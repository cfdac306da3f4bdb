"""The events that matching publishes; `schemas.published` says how each looks on the wire."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class PeerOrganisationRegistered:
    """Again whenever its facts change."""

    type: ClassVar[str] = "peer_organisation.registered.v1"
    subject: ClassVar[str] = "peer_organisation_id"
    peer_organisation_id: UUID
    name: str
    time_zone: str
    area: str | None


@dataclass(frozen=True, kw_only=True)
class PeerRegistered:
    type: ClassVar[str] = "peer.registered.v1"
    subject: ClassVar[str] = "peer_id"
    peer_id: UUID
    peer_organisation_id: UUID
    time_zone: str
    state: str


@dataclass(frozen=True, kw_only=True)
class PeerUpdated(PeerRegistered):
    type: ClassVar[str] = "peer.updated.v1"


@dataclass(frozen=True, kw_only=True)
class AboutMatch:
    """What every event of a match carries."""

    subject: ClassVar[str] = "match_id"
    match_id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    round: int


@dataclass(frozen=True, kw_only=True)
class MatchShortlisted(AboutMatch):
    type: ClassVar[str] = "match.shortlisted.v1"
    candidates: int


@dataclass(frozen=True, kw_only=True)
class MatchNoPeerFound(AboutMatch):
    type: ClassVar[str] = "match.no_peer_found.v1"
    ruled_out: int


@dataclass(frozen=True, kw_only=True)
class AboutPeer(AboutMatch):
    peer_id: UUID
    peer_organisation_id: UUID


@dataclass(frozen=True, kw_only=True)
class MatchOffered(AboutPeer):
    type: ClassVar[str] = "match.offered.v1"
    offer_id: UUID
    answer_by: datetime


@dataclass(frozen=True, kw_only=True)
class MatchChosen(AboutPeer):
    type: ClassVar[str] = "match.chosen.v1"
    offer_id: UUID


@dataclass(frozen=True, kw_only=True)
class MatchConfirmed(AboutPeer):
    """`existing` where the two met before Kindred, so that nobody is told what they know."""

    type: ClassVar[str] = "match.confirmed.v1"
    mode: str
    existing: bool = False


@dataclass(frozen=True, kw_only=True)
class MatchDeclined(AboutMatch):
    """The ask was answered no; no reason is asked for, and the search goes on."""

    type: ClassVar[str] = "match.declined.v1"
    by: str
    peer_id: UUID | None
    peer_organisation_id: UUID | None
    candidates: int


@dataclass(frozen=True, kw_only=True)
class MatchOfferExpired(AboutPeer):
    type: ClassVar[str] = "match.offer_expired.v1"
    offer_id: UUID


@dataclass(frozen=True, kw_only=True)
class MatchOfferTakenBack(AboutPeer):
    """By the coordinator, before the person has chosen; nobody is passed over."""

    type: ClassVar[str] = "match.offer_taken_back.v1"
    offer_id: UUID


@dataclass(frozen=True, kw_only=True)
class MatchActivated(AboutPeer):
    type: ClassVar[str] = "match.activated.v1"


@dataclass(frozen=True, kw_only=True)
class MatchQuiet(AboutPeer):
    """They have not met for longer than policy; somebody plans with the peer how to reach out."""

    type: ClassVar[str] = "match.quiet.v1"


@dataclass(frozen=True, kw_only=True)
class MatchInTouch(AboutPeer):
    """They have met again since it grew quiet."""

    type: ClassVar[str] = "match.in_touch.v1"


@dataclass(frozen=True, kw_only=True)
class MatchContactDisowned(AboutMatch):
    """Whoever opened a mailed link said that it was not for them; `person` is client or peer."""

    type: ClassVar[str] = "match.contact_disowned.v1"
    person: str
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class MatchEnded(AboutMatch):
    type: ClassVar[str] = "match.ended.v1"
    reason: str
    peer_id: UUID | None
    peer_organisation_id: UUID | None
