"""The events that scheduling set aside, as its part of the page of them all."""

from typing import Final

from services.chassis.set_aside_page import SetAsidePage
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES

SET_ASIDE: Final = SetAsidePage(
    service="scheduling",
    pages=PAGES,
    about=wording.ABOUT,
    together="/notifications/set-aside",
    places={"referral": "/referrals/{id}"},
)
