"""The events that referrals set aside, as its part of the page of them all."""

from typing import Final

from services.chassis.set_aside_page import SetAsidePage
from services.referrals.pages import wording
from services.referrals.pages.console import PAGES

SET_ASIDE: Final = SetAsidePage(
    service="referrals",
    pages=PAGES,
    about=wording.ABOUT,
    together="/notifications/set-aside",
)
