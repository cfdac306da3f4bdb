"""A session's life: booked, moved, cancelled, and how it went. No state blames anybody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.chassis.errors import DomainError
from services.scheduling.domain import policy
from services.scheduling.domain.availability import Availability
from services.scheduling.domain.spans import Span


class State(StrEnum):
    BOOKED = "booked"
    CANCELLED = "cancelled"
    HELD = "held"
    NOT_HELD = "not-held"
    UNRESOLVED = "unresolved"


OUTCOMES = (State.HELD, State.NOT_HELD, State.UNRESOLVED)
MODES = ("in-person", "video", "phone")


class Cause(StrEnum):
    """Who or what cancelled a session."""

    CLIENT = "client"
    PEER = "peer"
    COORDINATOR = "coordinator"
    CLINIC = "clinic"
    MATCH_ENDED = "match-ended"
    CONSENT_ENDED = "consent-ended"
    PEER_AWAY = "peer-away"


class TimeTaken(DomainError):
    slug = "time-taken"

    def __init__(self) -> None:
        super().__init__("This time is no longer free. Please choose another one.")


class MatchNotConfirmed(DomainError):
    slug = "match-not-confirmed"

    def __init__(self) -> None:
        super().__init__("Sessions can be booked once both have said yes to the match.")


class MatchEnded(DomainError):
    slug = "match-ended"

    def __init__(self) -> None:
        super().__init__("This match has ended, so no sessions are booked on it.")


class OutsideAvailability(DomainError):
    slug = "outside-availability"

    def __init__(self) -> None:
        super().__init__("This time lies outside the hours that were given.")


class TooSoon(DomainError):
    slug = "too-soon"

    def __init__(self) -> None:
        super().__init__("This time begins too soon. Please choose a later one.")


class AlreadyCancelled(DomainError):
    slug = "already-cancelled"

    def __init__(self) -> None:
        super().__init__("This session is cancelled already.")


class AlreadyBegun(DomainError):
    slug = "already-begun"

    def __init__(self) -> None:
        super().__init__("This session has begun. Its outcome can be recorded instead.")


class NotBegun(DomainError):
    slug = "not-begun"

    def __init__(self) -> None:
        super().__init__("How a session went can be told once it has begun.")


class AlreadyRecorded(DomainError):
    slug = "already-recorded"

    def __init__(self) -> None:
        super().__init__("This outcome is recorded already.")


@dataclass(frozen=True, kw_only=True)
class Parties:
    """The two people who meet, and their organisations."""

    client_id: UUID
    clinic_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a session hangs on: two people who said yes, and their organisations."""

    id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    peer_id: UUID | None
    peer_organisation_id: UUID | None
    mode: str | None
    state: str

    def parties(self) -> Parties:
        """The two who said yes; raise unless both did and the match goes on."""
        if self.state == "ended":
            raise MatchEnded
        if self.state not in ("confirmed", "active"):
            raise MatchNotConfirmed
        if self.peer_id is None or self.peer_organisation_id is None:
            raise MatchNotConfirmed
        return Parties(
            client_id=self.client_id,
            clinic_id=self.clinic_id,
            peer_id=self.peer_id,
            peer_organisation_id=self.peer_organisation_id,
        )


@dataclass(frozen=True, kw_only=True)
class Session:
    id: UUID
    match_id: UUID
    referral_id: UUID
    client_id: UUID
    peer_id: UUID
    clinic_id: UUID
    peer_organisation_id: UUID
    room_id: UUID | None
    mode: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    revision: int
    state: State
    cause: Cause | None
    version: int

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def parties(self) -> Parties:
        return Parties(
            client_id=self.client_id,
            clinic_id=self.clinic_id,
            peer_id=self.peer_id,
            peer_organisation_id=self.peer_organisation_id,
        )

    def check_open(self, now: datetime) -> None:
        """It can still be moved or cancelled."""
        if self.state == State.CANCELLED:
            raise AlreadyCancelled
        if self.state != State.BOOKED or self.starts_at <= now:
            raise AlreadyBegun

    def moved(self, to: Span, *, time_zone: str, room_id: UUID | None, now: datetime) -> "Session":
        self.check_open(now)
        return replace(
            self,
            starts_at=to.starts_at,
            ends_at=to.ends_at,
            time_zone=time_zone,
            room_id=room_id,
            revision=self.revision + 1,
            version=self.version + 1,
        )

    def covered(self, by: UUID, now: datetime) -> "Session":
        """Held by another peer, at the same time and place."""
        self.check_open(now)
        return replace(self, peer_id=by, revision=self.revision + 1, version=self.version + 1)

    def cancelled(self, cause: Cause, now: datetime) -> "Session":
        self.check_open(now)
        return replace(
            self,
            state=State.CANCELLED,
            cause=cause,
            revision=self.revision + 1,
            version=self.version + 1,
        )

    def resolved(self, outcome: State, now: datetime) -> "Session":
        """Say how it went; what was said can be corrected later."""
        if self.state == State.CANCELLED:
            raise AlreadyCancelled
        if now < self.starts_at:
            raise NotBegun
        if self.state == outcome:
            raise AlreadyRecorded
        return replace(self, state=outcome, version=self.version + 1)


@dataclass(frozen=True)
class Chooser:
    """Whoever chooses a time: whether they keep the lead time, or may book outside the hours."""

    keeps_lead_time: bool
    overrules_hours: bool


def check_time(
    session: Span,
    hours: Sequence[Availability | None],
    chooser: Chooser,
    *,
    now: datetime,
) -> None:
    """Raise unless the session lies ahead and in everybody's hours, or the chooser may differ."""
    earliest = now + policy.LEAD_TIME - policy.TIME_TO_CHOOSE
    if chooser.keeps_lead_time and session.starts_at < earliest:
        raise TooSoon
    if chooser.overrules_hours:
        return
    if not all(given is None or given.suits(session) for given in hours):
        raise OutsideAvailability
