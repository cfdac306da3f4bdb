"""The states of a match, one per referral and round, and which step may follow which."""

from enum import StrEnum
from typing import ClassVar, Final

from services.chassis.errors import DomainError


class State(StrEnum):
    WAITING = "waiting"  # nobody suits yet
    SHORTLISTED = "shortlisted"
    OFFERED = "offered"
    CHOSEN = "chosen"  # by the client
    CONFIRMED = "confirmed"  # by the peer
    ACTIVE = "active"
    ENDED = "ended"


class Step(StrEnum):
    SHORTLIST = "shortlist"
    FIND_NO_ONE = "find no one"
    OFFER = "offer"
    CHOOSE = "choose"
    ACCEPT = "accept"
    DECLINE = "decline"
    EXPIRE = "expire"
    TAKE_BACK = "take back"
    ACTIVATE = "activate"
    END = "end"


class EndReason(StrEnum):
    GOALS_REACHED = "goals-reached"
    CLIENT_CHOICE = "client-choice"
    ANOTHER_PEER = "another-peer"
    PEER_UNAVAILABLE = "peer-unavailable"
    OTHER_SUPPORT_FOUND = "other-support-found"
    ADMINISTRATIVE = "administrative"
    REFERRAL_WITHDRAWN = "referral-withdrawn"
    REFERRAL_DECLINED = "referral-declined"
    CONSENT_ENDED = "consent-ended"


class NotNow(DomainError):
    """The match is in a state from which this step does not lead on."""

    slug: ClassVar[str] = "not-in-this-state"


UNMATCHED: Final = frozenset({State.WAITING, State.SHORTLISTED})
ASKED: Final = frozenset({State.OFFERED, State.CHOSEN})
HOLDS_A_PLACE: Final = ASKED | {State.CONFIRMED, State.ACTIVE}
WITH_SOMEBODY: Final = HOLDS_A_PLACE - ASKED
OPEN: Final = UNMATCHED | HOLDS_A_PLACE

# These end the match but not the search: a new round keeps the waiting date.
PASSES_THE_PEER_OVER: Final = frozenset({EndReason.ANOTHER_PEER, EndReason.PEER_UNAVAILABLE})
SEARCH_GOES_ON: Final = PASSES_THE_PEER_OVER | {EndReason.ADMINISTRATIVE}

# The one way to `confirmed` leads through the client's choice and then the peer's acceptance.
LEADS_TO: Final[dict[Step, tuple[frozenset[State], State]]] = {
    Step.SHORTLIST: (UNMATCHED, State.SHORTLISTED),
    Step.FIND_NO_ONE: (UNMATCHED, State.WAITING),
    Step.OFFER: (frozenset({State.SHORTLISTED}), State.OFFERED),
    Step.CHOOSE: (frozenset({State.OFFERED}), State.CHOSEN),
    Step.ACCEPT: (frozenset({State.CHOSEN}), State.CONFIRMED),
    Step.DECLINE: (ASKED, State.SHORTLISTED),
    Step.EXPIRE: (ASKED, State.SHORTLISTED),
    Step.TAKE_BACK: (frozenset({State.OFFERED}), State.SHORTLISTED),
    Step.ACTIVATE: (frozenset({State.CONFIRMED}), State.ACTIVE),
    Step.END: (OPEN, State.ENDED),
}

OWNERS: Final[dict[State, str | None]] = {
    State.WAITING: "coordinator",
    State.SHORTLISTED: "coordinator",
    State.OFFERED: "client",
    State.CHOSEN: "peer",
    State.CONFIRMED: "coordinator",
    State.ACTIVE: "peer",
    State.ENDED: None,
}


def after(state: State, step: Step) -> State:
    """The state that the step leads to; raise NotNow where it does not."""
    from_states, to_state = LEADS_TO[step]
    if state not in from_states:
        raise NotNow(f"The match is {state}.", f"To {step} is possible while it is {_list(step)}.")
    return to_state


def _list(step: Step) -> str:
    return " or ".join(state for state in State if state in LEADS_TO[step][0])
