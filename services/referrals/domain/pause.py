"""A pause in which a person keeps their place, their waiting date and their peer."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from services.chassis.errors import DomainError

LONGEST: Final = timedelta(days=365)
# Without an end that was named, somebody asks after this many working days whether it goes on.
ASKED_AFTER_WORKING_DAYS: Final = 20


class PauseReason(StrEnum):
    """Said by the person if they like; it goes to nobody outside referrals."""

    IN_HOSPITAL = "in-hospital"
    TAKING_A_BREAK = "taking-a-break"
    OTHER = "other"


class NotPaused(DomainError):
    slug: ClassVar[str] = "not-paused"

    def __init__(self) -> None:
        super().__init__("There is no pause to end")


@dataclass(frozen=True)
class Until:
    """The day on which a pause ends; None until somebody ends it."""

    day: date | None

    def is_in_reach(self, today: date) -> bool:
        return self.day is None or today < self.day <= today + LONGEST

    def has_come(self, today: date) -> bool:
        return self.day is not None and self.day <= today
