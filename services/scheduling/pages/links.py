"""The pages behind scheduling's links: a session's, and the question of a peer's time away."""

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.work import Work
from services.scheduling.handlers.answering import LEAVE
from services.scheduling.pages import leave_link, session_link


def show(request: Request, work: Work) -> Answer:
    """Changes nothing: mail programs open links before people do."""
    link = links.open_link(work, request.path["secret"])
    if link.purpose == LEAVE:
        return leave_link.show(link, work)
    return session_link.show(link, work)


def use(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    if link.purpose == LEAVE:
        return leave_link.use(link, request, work)
    return session_link.use(link, request, work)
