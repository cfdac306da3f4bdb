"""What other services ask of scheduling."""

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.scheduling.handlers.views import place_of
from services.scheduling.repository import Sessions

LINK = "session"


def tell_sessions(request: Request, work: Work) -> Answer:
    """Sessions as they stand, with the place, for whoever tells people about them."""
    found = Sessions(work.connection).find_many(request.body["ids"])
    return Answer({"sessions": [{**vars(one), "place": place_of(one, work)} for one in found]})


def make_link(request: Request, work: Work) -> Answer:
    """A link by which a person on the session changes it; 409 when nothing can be changed."""
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
