"""The events scheduling publishes: the facts as they stand, each time they change."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class SessionEvent:
    """What every event of a session tells; `revision` is iCalendar's SEQUENCE (RFC 5545)."""

    subject: ClassVar[str] = "session_id"
    session_id: UUID
    match_id: UUID
    referral_id: UUID
    client_id: UUID
    peer_id: UUID
    clinic_id: UUID
    peer_organisation_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    revision: int
    mode: str


@dataclass(frozen=True, kw_only=True)
class SessionBooked(SessionEvent):
    """`existing` where both know of it from before Kindred, so nobody is told what they know."""

    type: ClassVar[str] = "session.booked.v1"
    existing: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionRescheduled(SessionEvent):
    type: ClassVar[str] = "session.rescheduled.v1"
    previous_starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(SessionEvent):
    type: ClassVar[str] = "session.cancelled.v1"
    cause: str


@dataclass(frozen=True, kw_only=True)
class SessionCovered(SessionEvent):
    """Another peer holds it, at the same time; `peer_id` is who does now."""

    type: ClassVar[str] = "session.covered.v1"
    previous_peer_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionContactDisowned(SessionEvent):
    """Whoever opened a mailed link said that it was not for them; `person` is client or peer."""

    type: ClassVar[str] = "session.contact_disowned.v1"
    person: str
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class SessionOutcomeRecorded(SessionEvent):
    type: ClassVar[str] = "session.outcome_recorded.v1"
    outcome: str


@dataclass(frozen=True, kw_only=True)
class LeavePlanned:
    """A peer is away for whole days of the zone; nothing is said of why."""

    type: ClassVar[str] = "leave.planned.v1"
    subject: ClassVar[str] = "leave_id"
    leave_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class LeaveWithdrawn(LeavePlanned):
    """The peer is there after all, or from now on again."""

    type: ClassVar[str] = "leave.withdrawn.v1"


@dataclass(frozen=True, kw_only=True)
class LeaveQuestionEvent:
    """About one of the people whom the peer meets, and what was booked in the time away."""

    subject: ClassVar[str] = "leave_id"
    leave_id: UUID
    match_id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    session_ids: list[UUID]


@dataclass(frozen=True, kw_only=True)
class LeaveAsked(LeaveQuestionEvent):
    """They are asked what they would like meanwhile."""

    type: ClassVar[str] = "leave.asked.v1"


@dataclass(frozen=True, kw_only=True)
class LeaveAnswered(LeaveQuestionEvent):
    """`wish` is wait, cover or change; `told_by` is client, or the coordinator whom they told."""

    type: ClassVar[str] = "leave.answered.v1"
    wish: str
    told_by: str


@dataclass(frozen=True, kw_only=True)
class LeaveQuestionWithdrawn(LeaveQuestionEvent):
    """The question needs no answer any more, for the peer is there."""

    type: ClassVar[str] = "leave.question_withdrawn.v1"


@dataclass(frozen=True, kw_only=True)
class LeaveContactDisowned(LeaveQuestionEvent):
    """Whoever opened the mailed question said that it was not for them."""

    type: ClassVar[str] = "leave.contact_disowned.v1"
    person: str
    person_id: UUID


@dataclass(frozen=True, kw_only=True)
class ContactEvent:
    """An entry of a peer's contact log, in numbers; nothing of what it was about.

    The four ids in the middle are there when it was with one person on a match. `people` is how
    many were met: none where the peer tried to reach somebody.
    """

    subject: ClassVar[str] = "contact_id"
    contact_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    match_id: UUID | None
    referral_id: UUID | None
    client_id: UUID | None
    clinic_id: UUID | None
    session_id: UUID | None
    match_ids: list[UUID]
    started_at: datetime
    time_zone: str
    minutes: int
    units: int
    people: int
    form: str


@dataclass(frozen=True, kw_only=True)
class ContactLogged(ContactEvent):
    type: ClassVar[str] = "contact.logged.v1"


@dataclass(frozen=True, kw_only=True)
class ContactCorrected(ContactEvent):
    type: ClassVar[str] = "contact.corrected.v1"


@dataclass(frozen=True, kw_only=True)
class ContactWithdrawn(ContactEvent):
    """It was entered by mistake and counts no more."""

    type: ClassVar[str] = "contact.withdrawn.v1"
