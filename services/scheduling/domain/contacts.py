"""A peer's contact log: what was done, with how many, for how long; in codes and numbers only.

There is no text about the person: what passes between the two stays between them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.chassis.errors import DomainError
from services.scheduling.domain import policy
from services.scheduling.domain.sessions import Match


class Form(StrEnum):
    PERSON = "person"
    GROUP = "group"


class Kind(StrEnum):
    CONVERSATION = "conversation"
    ACTIVITY = "activity"
    ACCOMPANYING = "accompanying"
    PRACTICAL_HELP = "practical-help"
    PLANNING = "planning"
    # Time spent on reaching somebody who could not be reached: work done, but nobody met.
    REACHING_OUT = "reaching-out"


class Setting(StrEnum):
    PHONE = "phone"
    VIDEO = "video"
    MESSAGE = "message"
    PEER_CENTRE = "peer-centre"
    COMMUNITY = "community"
    HOME = "home"
    CLINIC = "clinic"


class State(StrEnum):
    LOGGED = "logged"
    WITHDRAWN = "withdrawn"


class SessionLogged(DomainError):
    slug = "session-logged"

    def __init__(self) -> None:
        super().__init__("This session stands in the log already. That entry can be corrected.")


class ContactWithdrawn(DomainError):
    slug = "contact-withdrawn"

    def __init__(self) -> None:
        super().__init__("This entry was taken out of the log. A new one can be made.")


@dataclass(frozen=True, kw_only=True)
class Participant:
    """Somebody who took part and whom the peer meets on a match."""

    match_id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID


def participant(match: Match) -> Participant:
    return Participant(
        match_id=match.id,
        referral_id=match.referral_id,
        client_id=match.client_id,
        clinic_id=match.clinic_id,
    )


@dataclass(frozen=True, kw_only=True)
class Details:
    """What the peer enters. Without participants it was with people whom no match names.

    A restored database knows neither kind nor setting, for no event tells them.
    """

    form: Form
    kind: Kind | None
    setting: Setting | None
    started_at: datetime
    minutes: int
    people: int
    participants: tuple[Participant, ...]
    session_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Contact:
    id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    time_zone: str
    state: State
    version: int
    details: Details

    @property
    def match_ids(self) -> list[UUID]:
        return sorted(one.match_id for one in self.details.participants)

    @property
    def person(self) -> Participant | None:
        """The one person it was about; None for a group, or for somebody on no match."""
        named = self.details.participants
        return named[0] if self.details.form == Form.PERSON and named else None

    def corrected(self, details: Details) -> "Contact":
        self._check_logged()
        return replace(self, details=details, version=self.version + 1)

    def withdrawn(self) -> "Contact":
        self._check_logged()
        return replace(self, state=State.WITHDRAWN, version=self.version + 1)

    def _check_logged(self) -> None:
        if self.state == State.WITHDRAWN:
            raise ContactWithdrawn


def people_met(form: Form, kind: Kind, people: int | None, named: int) -> int:
    """How many were met: as told, at least those named; reaching out meets nobody."""
    if kind == Kind.REACHING_OUT:
        return 0
    if form == Form.PERSON:
        return 1
    return max(people or 0, named)


def problems(details: Details, now: datetime) -> dict[str, list[str]]:
    """What cannot be, by field."""
    found: dict[str, list[str]] = {}
    if details.started_at + timedelta(minutes=details.minutes) > now + policy.CLOCKS_DIFFER:
        found["started_at"] = ["Lies in the future, or is not over yet."]
    elif details.started_at < now - policy.LOGGED_WITHIN:
        found["started_at"] = [f"Lies more than {policy.LOGGED_WITHIN.days} days back."]
    if details.form == Form.PERSON and len(details.participants) > 1:
        found["match_ids"] = ["A contact with one person names one at most."]
    if details.form == Form.GROUP and details.kind != Kind.REACHING_OUT and details.people < 1:
        found["people"] = ["Say how many took part."]
    return found
