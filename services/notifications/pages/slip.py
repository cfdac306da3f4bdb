"""The slip for whoever leaves word at reception: what to say, to whom, and what came of it.

It is printed and lies on a desk, so it names the person and no more than is to be passed on.
"""

from collections.abc import Mapping
from typing import Final

from services.chassis.http.forms import take_step
from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.notifications.domain.kinds import Kind, Recipient, State
from services.notifications.handlers.ledger import view_of
from services.notifications.pages import wording
from services.notifications.pages.unreached import PAGES
from services.notifications.repository.ledger import Ledger

_OF_SESSIONS: Final = (
    Kind.SESSION_BOOKED,
    Kind.SESSION_RESCHEDULED,
    Kind.SESSION_CANCELLED,
    Kind.SESSION_COVERED,
    Kind.SESSION_REMINDER,
)


def show(request: Request, work: Work) -> Answer:
    return _slip(request, work, None)


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _slip(request, work, problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    take_step(request, work, routes, path={"id": request.path["message_id"]})
    return Answer(location="/notifications/")


def _slip(request: Request, work: Work, problem: Problem | None) -> Answer:
    """Only for the referred person: a peer or a clinic is told by their own staff."""
    row = Ledger(work.connection).read(view_of(request), request.path["message_id"])
    if row is None or row["recipient_role"] != Recipient.CLIENT:
        raise NotFound
    words = Words(PAGES, request.language)
    html = PAGES.visited(
        "slip.html",
        request,
        row=row,
        what=words.of(wording.SAY, row["kind"]),
        how=words.of(wording.CHANNEL, row["channel"]),
        told=in_the_way(problem, request.language),
        waits=row["state"] == State.NEEDS_STAFF,
        with_cards=row["kind"] == Kind.MATCH_OFFERED,
        with_sessions=row["kind"] in _OF_SESSIONS,
    )
    return Answer(html=html)
