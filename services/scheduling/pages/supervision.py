"""What a supervisor looks after: sessions nobody has spoken of, and those who have not met long."""

from datetime import timedelta
from typing import Any, Final

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.handlers.access import caller_of
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Matches, Sessions

SHOWN: Final = 50
_LOOKED_BACK: Final = timedelta(days=31)


def show(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    orgs = sorted(caller_of(request).orgs)
    organisations = known(work, orgs)
    unsaid = Sessions(work.connection).unresolved(orgs, work.now, work.now - _LOOKED_BACK, SHOWN)
    long_ago = work.now - policy.QUIET_AFTER
    quiet = Matches(work.connection).quiet_since(orgs, long_ago, SHOWN)
    html = PAGES.visited(
        "supervision.html",
        request,
        unsaid=[
            {
                "peer_id": one.peer_id,
                "when": words.moment(one.starts_at, one.time_zone),
                "mode": words.of(wording.MODE, one.mode),
            }
            for one in unsaid
        ],
        quiet=[_quiet(row, work) for row in quiet],
        quiet_after=policy.QUIET_AFTER.days,
        zones=sorted({one.time_zone for one in unsaid}),
        organisations=sorted(row["name"] for row in organisations.values()),
    )
    return Answer(html=html)


def _quiet(row: dict[str, Any], work: Work) -> dict[str, Any]:
    return {**row, "days": (work.now - row["quiet_since"]).days}
