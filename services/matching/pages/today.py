"""The coordinator's first page: the three numbers that matter, each with the way to its list."""

from datetime import timedelta
from typing import Any, Final

from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.work import Work
from services.matching.domain.answer_times import LONG_WAIT_DAYS
from services.matching.domain.states import ASKED, UNMATCHED, State
from services.matching.handlers.callers import caller_of
from services.matching.pages.links import PAGES
from services.matching.repository.matches import Matches

# Beyond this a number says "more than": nobody acts differently at 501 and at 5,001.
COUNTED: Final = 500


def show(request: Request, work: Work) -> Answer:
    waiting, asked = sorted(UNMATCHED | ASKED), sorted(ASKED)
    long_ago = work.now - timedelta(days=LONG_WAIT_DAYS)
    html = PAGES.visited(
        "today.html",
        request,
        words=Words(PAGES, request.language),
        days=LONG_WAIT_DAYS,
        counted=COUNTED,
        long_waiting=_count(request, work, waiting, received_before=long_ago),
        unanswered=_count(request, work, asked),
    )
    return Answer(html=html)


def _count(request: Request, work: Work, states: list[State], **only: Any) -> int:
    clinics = caller_of(request).orgs
    return Matches(work.connection).count_waiting(clinics, states, at_most=COUNTED + 1, **only)
