"""Who looks after a referral now, and by which date something should have moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.referrals.domain.progress import OPEN, MatchState, Status


class Urgency(StrEnum):
    ROUTINE = "routine"
    SOON = "soon"
    URGENT = "urgent"


@dataclass(frozen=True)
class Turn:
    """Whose turn it is, and how many working days that turn may take."""

    role: str
    routine: int
    soon: int
    urgent: int

    def days(self, urgency: Urgency) -> int:
        return {
            Urgency.ROUTINE: self.routine,
            Urgency.SOON: self.soon,
            Urgency.URGENT: self.urgent,
        }[urgency]


@dataclass(frozen=True, kw_only=True)
class Care:
    """The owner of a referral and the date to look at it again."""

    role: str
    organisation_id: UUID
    next_date: date


BY_STATUS: Final[Mapping[Status, Turn]] = {
    Status.AWAITING_CONSENT: Turn("clinic", 5, 3, 1),
    Status.SUBMITTED: Turn("coordinator", 3, 2, 1),
    Status.INFORMATION_REQUESTED: Turn("clinic", 5, 3, 1),
    Status.ACCEPTED: Turn("coordinator", 3, 2, 1),
}
BY_MATCH_STATE: Final[Mapping[MatchState, Turn]] = {
    MatchState.NO_PEER_FOUND: Turn("coordinator", 5, 3, 1),
    MatchState.SHORTLISTED: Turn("coordinator", 3, 2, 1),
    MatchState.OFFERED: Turn("coordinator", 5, 3, 1),
    MatchState.CHOSEN: Turn("peer", 3, 2, 1),
    # Until the first session was held, somebody must see to it that one is booked.
    MatchState.CONFIRMED: Turn("coordinator", 5, 3, 1),
    MatchState.ACTIVE: Turn("peer", 20, 20, 20),
    MatchState.WAITING_AGAIN: Turn("coordinator", 3, 2, 1),
}


def add_working_days(start: date, days: int) -> date:
    """Count on from a date, weekends left out."""
    day = start
    while days:
        day += timedelta(days=1)
        if day.weekday() < 5:
            days -= 1
    return day


def care(
    *,
    status: Status,
    match_state: MatchState | None,
    urgency: Urgency,
    clinic_id: UUID,
    peer_organisation_id: UUID | None,
    today: date,
) -> Care | None:
    """Give an open referral its owner and next date; an ended one needs neither."""
    if status not in OPEN:
        return None
    turn = BY_STATUS[status]
    if status is Status.ACCEPTED and match_state:
        turn = BY_MATCH_STATE.get(match_state, turn)
    is_theirs = turn.role == "peer" and peer_organisation_id
    return Care(
        role=turn.role,
        organisation_id=peer_organisation_id if is_theirs and peer_organisation_id else clinic_id,
        next_date=add_working_days(today, turn.days(urgency)),
    )
