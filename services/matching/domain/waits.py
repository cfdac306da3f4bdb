"""How long somebody who comes now may wait, from how long others waited and still wait."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

# As far as one looks back: a region of a year ago is another one.
LOOKED_BACK: Final = timedelta(days=180)
# From fewer who got somebody nothing is told: it would be guessed, or be about them.
LEAST: Final = 10
_QUARTERS: Final = (0.25, 0.5, 0.75)
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Wait:
    """By when a quarter, a half and three quarters of people have somebody, in days.

    None where it cannot be said yet, because so many of them still wait.
    """

    measured: int
    quarter: int | None
    half: int | None
    three_quarters: int | None


class Capacity(StrEnum):
    """The values of HL7's SDOH Clinical Care guide (SDOHCC ValueSet Capacity Status)."""

    CAPACITY = "capacity"
    WAITLIST = "waitlist"
    NO_CAPACITY = "no-capacity"
    ADDITIONAL_ASSESSMENT = "additional-assessment-required"


@dataclass(frozen=True)
class Outlook:
    """Of a language, or of everybody; `wait` is None where too few have been matched to say."""

    capacity: Capacity
    language: str | None
    wait: Wait | None


def estimate(waits: Iterable[tuple[int, bool]]) -> Wait | None:
    """From days and whether they ended with somebody; who still waits, or left, counts so long.

    Kaplan and Meier's estimate: leaving those out who have nobody yet would make a long queue look
    short. None where too few got somebody.
    """
    counted: dict[int, list[int]] = {}
    for days, is_served in waits:
        with_somebody, all_of_them = counted.setdefault(days, [0, 0])
        counted[days] = [with_somebody + is_served, all_of_them + 1]
    measured = sum(served for served, _ in counted.values())
    if measured < LEAST:
        return None
    waiting, share = sum(number for _, number in counted.values()), 1.0
    shares: list[tuple[int, float]] = []
    for days, (served, number) in sorted(counted.items()):
        share *= 1 - served / waiting
        waiting -= number
        shares.append((days, 1 - share))
    reached = [
        next((days for days, of in shares if of >= quarter - _ROUNDING), None)
        for quarter in _QUARTERS
    ]
    return Wait(measured, *reached)
