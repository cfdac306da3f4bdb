"""The events referrals publishes. Identifiers, states and times only: nothing about a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class ClinicRegistered:
    """A clinic takes part, or its name, zone or area changed."""

    type: ClassVar[str] = "clinic.registered.v1"
    subject: ClassVar[str] = "clinic_id"
    clinic_id: UUID
    name: str
    time_zone: str
    area: str | None


@dataclass(frozen=True, kw_only=True)
class ReferralSubmitted:
    """A referral has a valid consent for the first time; received_at is its waiting date."""

    type: ClassVar[str] = "referral.submitted.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    received_at: datetime
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class ReferralTakenOver:
    """The person had this peer before Kindred; nobody is asked anything about it."""

    type: ClassVar[str] = "referral.taken_over.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    mode: str


@dataclass(frozen=True, kw_only=True)
class ReferralAccepted:
    type: ClassVar[str] = "referral.accepted.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReferralDeclined:
    """Terminal, unless the coordinator takes it back within days: `referral.reopened.v1`."""

    type: ClassVar[str] = "referral.declined.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReferralReopened(ReferralSubmitted):
    """That it was not taken on was a mistake; it waits on with its first date."""

    type: ClassVar[str] = "referral.reopened.v1"


@dataclass(frozen=True, kw_only=True)
class ReferralInformationRequested:
    type: ClassVar[str] = "referral.information_requested.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReferralInformationProvided:
    type: ClassVar[str] = "referral.information_provided.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReferralCorrected:
    """Facts changed, or whose referral it is; needs_changed says that ranking may differ."""

    type: ClassVar[str] = "referral.corrected.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
    client_id: UUID
    needs_changed: bool


@dataclass(frozen=True, kw_only=True)
class ReferralWithdrawn:
    """Terminal; `by` is clinic, client or coordinator."""

    type: ClassVar[str] = "referral.withdrawn.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
    by: str


@dataclass(frozen=True, kw_only=True)
class ReferralConsentEnded:
    """Revoking; `cause` is withdrawn or expired."""

    type: ClassVar[str] = "referral.consent_ended.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
    cause: str


@dataclass(frozen=True, kw_only=True)
class ReferralConsentRenewed:
    """A valid consent again after an end: matching opens a new round from the old waiting date."""

    type: ClassVar[str] = "referral.consent_renewed.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    received_at: datetime
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class ReferralPaused:
    """The person takes a pause, or changed its end; why is said to nobody."""

    type: ClassVar[str] = "referral.paused.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
    until: date | None


@dataclass(frozen=True, kw_only=True)
class ReferralResumed:
    type: ClassVar[str] = "referral.resumed.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReferralAnotherPeerAsked:
    """The person would like somebody else; matching ends the match and searches on."""

    type: ClassVar[str] = "referral.another_peer_asked.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReferralCompleted:
    """Terminal: the goals that peer support served were reached."""

    type: ClassVar[str] = "referral.completed.v1"
    subject: ClassVar[str] = "referral_id"
    referral_id: UUID
    clinic_id: UUID
