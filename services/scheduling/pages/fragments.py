"""What the gateway puts into other services' pages: the sessions of one referral, for its staff."""

from typing import Any

from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.work import Work
from services.scheduling.domain.sessions import Session
from services.scheduling.handlers.access import caller_of
from services.scheduling.pages import wording
from services.scheduling.pages.links import PAGES
from services.scheduling.repository import Sessions

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
        zones=sorted({one.time_zone for one in sessions}),
    )
    return Answer(html=html)


def _row(session: Session, words: Words) -> dict[str, Any]:
    return {
        "when": words.moment(session.starts_at, session.time_zone),
        "mode": words.of(wording.MODE, session.mode),
        "state": words.of(wording.STATE, session.state),
        "cause": words.of(wording.CAUSE, session.cause),
    }
