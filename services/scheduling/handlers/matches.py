"""The match that a session hangs on, for whoever is party to it."""

from uuid import UUID

from services.chassis.http.request import Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.scheduling.domain.sessions import Match
from services.scheduling.handlers.access import caller_of, check_parties
from services.scheduling.questions import Learned
from services.scheduling.repository import Matches, People


def open_match(request: Request, match_id: UUID, work: Work) -> Match:
    """The match, with what was learned of it taken over; somebody else's is a missing one."""
    learned: Learned = work.answer or Learned()
    known = Matches(work.connection).find(match_id) or learned.match
    if known is None:
        raise NotFound
    check_parties(caller_of(request), known)
    if known.peer_organisation_id is not None:
        work.act_for([known.clinic_id, known.peer_organisation_id])
    if learned.person is not None:
        People(work.connection).remember(learned.person)
    return known


def keep_match(match: Match, work: Work) -> Match:
    """The match as it stands until this transaction ends, remembered if it was only learned."""
    match.parties()
    matches = Matches(work.connection)
    matches.confirm(match, work.now)
    return matches.keep_open(match.id) or match
