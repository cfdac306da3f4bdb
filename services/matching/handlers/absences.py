"""What a peer's time away means for the search: nobody new meanwhile, and a change where asked."""

from datetime import timedelta
from typing import Any, Final

from services.chassis.work import Work
from services.matching.domain.states import HOLDS_A_PLACE, EndReason
from services.matching.handlers import rounds
from services.matching.repository.absences import Absences
from services.matching.repository.matches import Matches

# A shorter absence is no reason to pass somebody over. A longer one is also some days ahead:
# whoever is matched then would begin by waiting.
LONG: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=7)
_CHANGE: Final = "change"


def note(event: dict[str, Any], work: Work) -> None:
    Absences(work.connection).store(event)
    mark(work)


def forget(event: dict[str, Any], work: Work) -> None:
    Absences(work.connection).forget(event["leave_id"])
    mark(work)


def mark(work: Work) -> None:
    """As time passes, peers leave and come back."""
    absences = Absences(work.connection)
    absences.forget_over(work.now)
    absences.mark(work.now, before=AHEAD, lasting=LONG)


def change_peer(event: dict[str, Any], work: Work) -> None:
    """The person would rather go on with somebody else; the peer stays possible for later."""
    if event["wish"] != _CHANGE:
        return
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is not None and match.id == event["match_id"] and match.state in HOLDS_A_PLACE:
        rounds.end(match, EndReason.PEER_UNAVAILABLE, work)
