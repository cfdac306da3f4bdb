"""What the gateway puts into other services' pages: the sessions of one referral, for its staff."""

from typing import Any

from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.work import Work
from services.scheduling.domain.leave import Question
from services.scheduling.domain.sessions import Session
from services.scheduling.handlers.access import caller_of
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Leaves, Questions, Sessions

_SHOWN = 100


def list_of_referral(request: Request, work: Work) -> Answer:
    """The latest first; a referral of other organisations has none, like one that is missing."""
    words = Words(PAGES, request.language)
    served = list(caller_of(request).orgs)
    found = Sessions(work.connection)
    sessions = found.latest_of_referral(request.path["referral_id"], served, _SHOWN)
    html = PAGES.render(
        "sessions-of-referral.html",
        language=request.language,
        rows=[_row(one, words) for one in sessions],
        away=[_away(one, words, work) for one in _questions(request, work)],
        zones=sorted({one.time_zone for one in sessions}),
    )
    return Answer(html=html)


def _questions(request: Request, work: Work) -> list[Question]:
    """What the person was asked for their peer's time away, where one serves the peer."""
    found = Questions(work.connection).open_of_referral(request.path["referral_id"], work.now)
    served = caller_of(request).orgs
    return [one for one in found if one.peer_organisation_id in served]


def _away(question: Question, words: Words, work: Work) -> dict[str, Any]:
    leave = Leaves(work.connection).find(question.leave_id)
    return {
        "id": question.id,
        "first_day": words.day(leave.first_day) if leave else "",
        "last_day": words.day(leave.last_day) if leave else "",
        "said": words.of(wording.SAID, question.wish) or words(wording.NOT_SAID),
    }


def _row(session: Session, words: Words) -> dict[str, Any]:
    return {
        "when": words.moment(session.starts_at, session.time_zone),
        "mode": words.of(wording.MODE, session.mode),
        "state": words.of(wording.STATE, session.state),
        "cause": words.of(wording.CAUSE, session.cause),
    }
