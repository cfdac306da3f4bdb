"""The events that matching set aside, as its part of the page of them all."""

from typing import Final

from services.chassis.set_aside_page import SetAsidePage
from services.matching.pages import wording
from services.matching.pages.links import PAGES

SET_ASIDE: Final = SetAsidePage(
    service="matching",
    pages=PAGES,
    about=wording.ABOUT,
    together="/notifications/set-aside",
    places={"referral": "/referrals/{id}"},
)
