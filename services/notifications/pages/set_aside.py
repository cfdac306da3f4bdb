"""The events that services set aside: notifications' own part, and the page of all parts."""

from typing import Final

from services.chassis.http.request import Answer, Request
from services.chassis.set_aside_page import SetAsidePage
from services.chassis.work import Work
from services.notifications.pages import wording
from services.notifications.pages.unreached import PAGES

SET_ASIDE: Final = SetAsidePage(
    service="notifications",
    pages=PAGES,
    about=wording.ABOUT,
    together="/notifications/set-aside",
    places={"referral": "/referrals/{id}"},
)


def together(request: Request, _: Work) -> Answer:
    """The gateway puts in each service's part."""
    return Answer(html=PAGES.visited("set-aside-together.html", request))
