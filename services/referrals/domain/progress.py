"""Which step a referral may take from where, and what the treatment plan's line then says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.chassis.errors import DomainError


class Status(StrEnum):
    """Where the referral itself stands; how far its match is, is a field of its own."""

    AWAITING_CONSENT = "awaiting-consent"
    SUBMITTED = "submitted"
    INFORMATION_REQUESTED = "information-requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"


class Action(StrEnum):
    GIVE_CONSENT = "give-consent"
    END_CONSENT = "end-consent"
    ACCEPT = "accept"
    DECLINE = "decline"
    REQUEST_INFORMATION = "request-information"
    PROVIDE_INFORMATION = "provide-information"
    WITHDRAW = "withdraw"
    COMPLETE = "complete"
    REOPEN = "reopen"


class MatchState(StrEnum):
    """How far matching is, as its events tell it."""

    NO_PEER_FOUND = "no-peer-found"
    SHORTLISTED = "shortlisted"
    OFFERED = "offered"
    CHOSEN = "chosen"
    CONFIRMED = "confirmed"
    ACTIVE = "active"
    WAITING_AGAIN = "waiting-again"
    ENDED = "ended"


class PlanState(StrEnum):
    """The line "peer support" in the clinic's treatment plan."""

    REQUESTED = "requested"
    WAITING = "waiting"
    MATCHED = "matched"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    STOPPED = "stopped"


class ReferralEnded(DomainError):
    slug = "referral-ended"

    def __init__(self) -> None:
        super().__init__("This referral has ended")


class ConsentMissing(DomainError):
    slug = "consent-missing"

    def __init__(self) -> None:
        super().__init__("The person's consent is needed first")


class NotPossibleNow(DomainError):
    slug = "not-possible-now"

    def __init__(self) -> None:
        super().__init__("This step does not follow from where the referral stands")


class TooLateToReopen(DomainError):
    slug = "too-late-to-reopen"

    def __init__(self) -> None:
        super().__init__("It was not taken on more than a week ago; it can be referred anew")


OPEN: Final = frozenset(
    {Status.AWAITING_CONSENT, Status.SUBMITTED, Status.INFORMATION_REQUESTED, Status.ACCEPTED}
)
CONSENTED: Final = OPEN - {Status.AWAITING_CONSENT}
UNDECIDED: Final = frozenset({Status.SUBMITTED, Status.INFORMATION_REQUESTED})


@dataclass(frozen=True)
class Move:
    """From which statuses an action leads where; no target means back to where it stood."""

    sources: frozenset[Status]
    target: Status | None


MOVES: Final[Mapping[Action, Move]] = {
    Action.GIVE_CONSENT: Move(frozenset({Status.AWAITING_CONSENT}), None),
    Action.END_CONSENT: Move(CONSENTED, Status.AWAITING_CONSENT),
    Action.ACCEPT: Move(UNDECIDED, Status.ACCEPTED),
    # Declining needs no consent: nothing of the person leaves with it.
    Action.DECLINE: Move(UNDECIDED | {Status.AWAITING_CONSENT}, Status.DECLINED),
    Action.REQUEST_INFORMATION: Move(CONSENTED, Status.INFORMATION_REQUESTED),
    Action.PROVIDE_INFORMATION: Move(frozenset({Status.INFORMATION_REQUESTED}), None),
    Action.WITHDRAW: Move(OPEN, Status.WITHDRAWN),
    Action.COMPLETE: Move(OPEN, Status.COMPLETED),
    Action.REOPEN: Move(frozenset({Status.DECLINED}), None),
}
# Whoever finds out later that it was a mistake asks the clinic to refer anew.
REOPENED_WITHIN: Final = timedelta(days=7)


def move(action: Action, *, status: Status, accepted: bool) -> Status:
    """Say where the action leads, or why it does not follow from here."""
    step = MOVES[action]
    if status in step.sources:
        return step.target or (Status.ACCEPTED if accepted else Status.SUBMITTED)
    if status not in OPEN:
        raise ReferralEnded
    if status is Status.AWAITING_CONSENT:
        raise ConsentMissing
    raise NotPossibleNow


def can_reopen(status: Status, declined_at: datetime | None, now: datetime) -> bool:
    """Whether that it was not taken on can still be taken back."""
    if status is not Status.DECLINED or declined_at is None:
        return False
    return now - declined_at <= REOPENED_WITHIN


@dataclass(frozen=True)
class MatchEnd:
    """What the end of a match means for its referral."""

    action: Action | None = None
    state: MatchState = MatchState.ENDED
    excludes_the_peer: bool = False


MATCH_ENDS: Final[Mapping[str, MatchEnd]] = {
    "goals-reached": MatchEnd(action=Action.COMPLETE),
    "client-choice": MatchEnd(action=Action.WITHDRAW),
    "other-support-found": MatchEnd(action=Action.WITHDRAW),
    "another-peer": MatchEnd(state=MatchState.WAITING_AGAIN, excludes_the_peer=True),
    "peer-unavailable": MatchEnd(state=MatchState.WAITING_AGAIN),
    "administrative": MatchEnd(state=MatchState.WAITING_AGAIN),
}


def match_end(reason: str) -> MatchEnd:
    """Read the reason; one that follows from the referral's own step changes nothing more."""
    return MATCH_ENDS.get(reason, MatchEnd())


def plan_state(status: Status, match_state: MatchState | None, *, was_submitted: bool) -> PlanState:
    """Say the plan's line in one word."""
    if status is Status.COMPLETED:
        return PlanState.COMPLETED
    if status in {Status.DECLINED, Status.WITHDRAWN}:
        return PlanState.STOPPED
    if status is Status.AWAITING_CONSENT:
        return PlanState.STOPPED if was_submitted else PlanState.REQUESTED
    if match_state is MatchState.ACTIVE:
        return PlanState.IN_PROGRESS
    if match_state is MatchState.CONFIRMED:
        return PlanState.MATCHED
    return PlanState.WAITING if status is Status.ACCEPTED else PlanState.REQUESTED
