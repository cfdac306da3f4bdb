"""Links for people without an account: who is asked what now, and until when it is open."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.problems import Conflict, NotFound
from services.chassis.work import Work
from services.matching.domain import answer_times
from services.matching.domain.states import HOLDS_A_PLACE, State
from services.matching.handlers import rounds
from services.matching.repository.matches import Match, Matches

CHOOSE: Final = "choose"
RESPOND: Final = "respond"
WITHDRAW: Final = "withdraw"


def make_link(request: Request, work: Work) -> Answer:
    body = request.body
    purpose, person_id = body["purpose"], body["person_id"]
    match = Matches(work.connection).find(body["match_id"])
    if match is None:
        raise NotFound
    if not is_asked(match, purpose, person_id):
        raise Conflict("no-longer-asked", "This person is not asked about this now")
    path = path_for(match, purpose, person_id, work, language=body["language"])
    return Answer(body={"path": path})


def is_asked(match: Match, purpose: str, person_id: UUID) -> bool:
    """The client chooses among those offered, the chosen peer answers, the client may withdraw."""
    if purpose == CHOOSE:
        return match.state == State.OFFERED and person_id == match.client_id
    if purpose == RESPOND:
        return match.state == State.CHOSEN and person_id == match.peer_id
    return match.state in HOLDS_A_PLACE and person_id == match.client_id


def path_for(match: Match, purpose: str, person_id: UUID, work: Work, *, language: str) -> str:
    rounds.see_both_sides(match, work)
    secret = links.mint(
        work,
        purpose=purpose,
        subject_id=subject_of(match, purpose),
        person_id=person_id,
        orgs=[org for org in (match.clinic_id, match.peer_organisation_id) if org],
        expires_at=_expires_at(match, purpose, work.now),
        language=language,
    )
    return links.path_of(secret)


def subject_of(match: Match, purpose: str) -> UUID:
    """A question is about its offer, so that it ends with it; withdrawing is about the match."""
    return match.id if purpose == WITHDRAW else match.offer_id or match.id


def _expires_at(match: Match, purpose: str, now: datetime) -> datetime:
    longest = now + answer_times.LONGEST
    return longest if purpose == WITHDRAW else match.next_at or longest
