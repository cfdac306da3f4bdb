"""Read a match, and end it; the client may do so at any moment and wins."""

from typing import Final

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Forbidden, Invalid
from services.chassis.roles import CLIENT, PEER, Role
from services.chassis.work import Work
from services.matching.domain.states import HOLDS_A_PLACE, EndReason, NotNow, State
from services.matching.handlers import rounds
from services.matching.handlers.callers import caller_of, require_named, require_side
from services.matching.handlers.views import match_view
from services.matching.repository.matches import Match, Matches

# Nobody has to give a reason for themselves; this is what is noted then.
UNSAID: Final = {CLIENT: EndReason.CLIENT_CHOICE, PEER: EndReason.PEER_UNAVAILABLE}
OWN_REASONS: Final = {
    CLIENT: {
        EndReason.GOALS_REACHED,
        EndReason.CLIENT_CHOICE,
        EndReason.ANOTHER_PEER,
        EndReason.OTHER_SUPPORT_FOUND,
    },
    PEER: {EndReason.GOALS_REACHED, EndReason.PEER_UNAVAILABLE},
}
# These follow from what happened to the referral, and nobody says them here.
OF_THE_REFERRAL: Final = {
    EndReason.REFERRAL_WITHDRAWN,
    EndReason.REFERRAL_DECLINED,
    EndReason.CONSENT_ENDED,
}
BY_STAFF: Final = frozenset(EndReason) - OF_THE_REFERRAL


def read_match(request: Request, work: Work) -> Answer:
    found = Matches(work.connection).find(request.path["match_id"])
    match = require_side(caller_of(request), found)
    return Answer(body=match_view(match), version=match.version)


def end(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    match = require_side(caller, Matches(work.connection).lock(request.path["match_id"]))
    request.expects(match.version)
    reason = _reason(caller.role, request.body.get("reason"))
    if caller.is_staff:
        named = request.body.get("recorded_for")
        require_named(request, match.peer_id if named == match.peer_id else match.client_id)
    if caller.role is PEER and match.state not in HOLDS_A_PLACE - {State.OFFERED, State.CHOSEN}:
        raise NotNow(f"The match is {match.state}.", "A no to an offer is a decline.")
    ended, following = rounds.end(match, reason, work)
    return Answer(body=_ended_view(ended, following), version=ended.version)


def _reason(role: Role, said: str | None) -> EndReason:
    if said is None:
        if role not in UNSAID:
            raise Invalid({"reason": ["Missing data for required field."]})
        return UNSAID[role]
    reason = EndReason(said)
    if reason not in OWN_REASONS.get(role, BY_STAFF):
        raise Forbidden("This reason is not for your role to give")
    return reason


def _ended_view(ended: Match, following: Match | None) -> dict[str, object]:
    steps = {State.SHORTLISTED: "new-offer", State.WAITING: "search-continues"}
    return {
        **match_view(ended),
        "next_step": steps[following.state] if following else "none",
        "next_match_id": following.id if following else None,
    }
