"""A peer's time away, and what each of the people they meet would like meanwhile.

Whoever loses a meeting by it is asked before anything is cancelled: to wait, to have somebody
else for that time, or to go on with another peer.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from services.chassis.errors import DomainError
from services.scheduling.domain import policy
from services.scheduling.domain.sessions import Session
from services.scheduling.domain.sessions import State as SessionState
from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local, zone


class State(StrEnum):
    PLANNED = "planned"
    WITHDRAWN = "withdrawn"


class Wish(StrEnum):
    WAIT = "wait"
    COVER = "cover"
    CHANGE = "change"


class AlreadyAway(DomainError):
    slug = "already-away"

    def __init__(self) -> None:
        super().__init__("Some of these days are in another time away already.")


class LeaveOver(DomainError):
    slug = "leave-over"

    def __init__(self) -> None:
        super().__init__("This time away is over, or was taken back.")


class AlreadyAnswered(DomainError):
    slug = "already-answered"

    def __init__(self) -> None:
        super().__init__("This is what they said already.")


class CoverNotWished(DomainError):
    slug = "cover-not-wished"

    def __init__(self) -> None:
        super().__init__("Somebody else takes a session once the person has said so.")


@dataclass(frozen=True, kw_only=True)
class Leave:
    """Whole days by the clock of the peer's zone; the two moments are where they begin and end."""

    id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    first_day: date
    last_day: date
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    state: State
    version: int

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def asks_everybody(self) -> bool:
        """It is so long that also those are asked who have nothing booked in it."""
        return self.ends_at - self.starts_at >= policy.LONG_LEAVE

    def takes(self, session: Session) -> bool:
        """Whether the session cannot be with this peer."""
        return (
            session.state == SessionState.BOOKED
            and session.peer_id == self.peer_id
            and session.span.overlaps(self.span)
        )

    def check_open(self, now: datetime) -> None:
        if self.state != State.PLANNED or self.ends_at <= now:
            raise LeaveOver

    def touched(self) -> "Leave":
        return replace(self, version=self.version + 1)

    def withdrawn(self, now: datetime) -> "Leave":
        self.check_open(now)
        return replace(self.touched(), state=State.WITHDRAWN)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What one of the peer's people is asked; `session_ids` is what was booked when they were."""

    id: UUID
    leave_id: UUID
    match_id: UUID
    referral_id: UUID
    client_id: UUID
    clinic_id: UUID
    peer_id: UUID
    peer_organisation_id: UUID
    session_ids: list[UUID]
    wish: Wish | None = None
    told_by: str | None = None

    def answered(self, wish: Wish, told_by: str) -> "Question":
        """What was said can be said otherwise as long as the leave lasts."""
        if self.wish == wish:
            raise AlreadyAnswered
        return replace(self, wish=wish, told_by=told_by)


def span_of_days(first_day: date, last_day: date, time_zone: str) -> Span:
    """From the first midnight to the one after the last day, as clocks in the zone show them."""
    return Span(_midnight(first_day, time_zone), _midnight(last_day + timedelta(1), time_zone))


def problems(
    first_day: date, last_day: date, time_zone: str, now: datetime
) -> dict[str, list[str]]:
    """What is wrong with these days, by field."""
    wrong: dict[str, list[str]] = {}
    if first_day < local(now, time_zone).date():
        wrong["first_day"] = ["Lies in the past."]
    elif first_day > (now + policy.FURTHEST_AHEAD).date():
        wrong["first_day"] = ["Lies more than a year ahead."]
    if last_day < first_day:
        wrong["last_day"] = ["Lies before the first day."]
    elif last_day - first_day >= policy.LONGEST_LEAVE:
        wrong["last_day"] = ["More than a year is not a time away any more."]
    return wrong


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone(time_zone)).astimezone(UTC)
