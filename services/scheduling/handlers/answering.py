"""What other services ask of scheduling."""

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.scheduling.domain.leave import LeaveOver
from services.scheduling.handlers.views import place_of
from services.scheduling.repository import Leaves, Questions, Sessions

LINK, LEAVE = "session", "leave"


def tell_sessions(request: Request, work: Work) -> Answer:
    """Sessions as they stand, with the place, for whoever tells people about them."""
    found = Sessions(work.connection).find_many(request.body["ids"])
    return Answer({"sessions": [{**vars(one), "place": place_of(one, work)} for one in found]})


def make_link(request: Request, work: Work) -> Answer:
    """A link by which a person changes a session, or answers; 409 where nothing is open."""
    if request.body["match_id"] is not None:
        return _make_leave_link(request, work)
    session = Sessions(work.connection).find(request.body["session_id"])
    person_id = request.body["person_id"]
    if session is None or person_id not in (session.client_id, session.peer_id):
        raise NotFound
    session.check_open(work.now)
    secret = links.mint(
        work,
        purpose=LINK,
        subject_id=session.id,
        person_id=person_id,
        orgs=(session.clinic_id, session.peer_organisation_id),
        expires_at=session.starts_at,
        language=request.body["language"],
    )
    return Answer({"path": links.path_of(secret)})


def _make_leave_link(request: Request, work: Work) -> Answer:
    question = Questions(work.connection).latest_of_match(request.body["match_id"], work.now)
    leave = Leaves(work.connection).find(question.leave_id) if question else None
    if question is None or leave is None:
        raise LeaveOver
    if question.client_id != request.body["person_id"]:
        raise NotFound
    secret = links.mint(
        work,
        purpose=LEAVE,
        subject_id=question.id,
        person_id=question.client_id,
        orgs=(question.clinic_id, question.peer_organisation_id),
        expires_at=leave.ends_at,
        language=request.body["language"],
    )
    return Answer({"path": links.path_of(secret)})
