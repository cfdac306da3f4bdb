"""Units and hours that follow from the contact log, by a rounding rule that is stated."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.scheduling.domain import policy
from services.scheduling.domain.contacts import Form
from services.scheduling.domain.zones import local


@dataclass(frozen=True)
class UnitRule:
    """A contact counts one unit for each full `minutes`, and one for a rest of `least` or more."""

    minutes: int
    least: int

    def units(self, minutes: int) -> int:
        full, rest = divmod(minutes, self.minutes)
        return full + (rest >= self.least)


UNITS = UnitRule(policy.UNIT_MINUTES, policy.UNIT_LEAST_MINUTES)


class Every(StrEnum):
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Spent:
    """One contact as far as sums need it."""

    started_at: datetime
    minutes: int
    form: Form
    time_zone: str

    @property
    def day(self) -> date:
        return local(self.started_at, self.time_zone).date()


@dataclass(frozen=True, kw_only=True)
class Sum:
    contacts: int
    minutes: int
    units: int


@dataclass(frozen=True, kw_only=True)
class Period:
    """A week from Monday to Sunday, or a month, by the peer's own calendar."""

    first_day: date
    last_day: date
    person: Sum
    group: Sum


def periods(spent: Iterable[Spent], every: Every, rule: UnitRule) -> list[Period]:
    """The periods in which anything was logged, the latest first."""
    by_start: dict[date, list[Spent]] = {}
    for one in spent:
        by_start.setdefault(first_day_of(one.day, every), []).append(one)
    return [
        Period(
            first_day=first,
            last_day=next_first_day(first, every) - timedelta(days=1),
            person=_sum(found, Form.PERSON, rule),
            group=_sum(found, Form.GROUP, rule),
        )
        for first, found in sorted(by_start.items(), reverse=True)
    ]


def first_day_of(day: date, every: Every) -> date:
    return day.replace(day=1) if every == Every.MONTH else day - timedelta(days=day.weekday())


def next_first_day(first: date, every: Every) -> date:
    if every == Every.WEEK:
        return first + timedelta(days=7)
    return first_day_of(first + timedelta(days=31), Every.MONTH)


def _sum(spent: Iterable[Spent], form: Form, rule: UnitRule) -> Sum:
    minutes = [one.minutes for one in spent if one.form == form]
    units = sum(rule.units(each) for each in minutes)
    return Sum(contacts=len(minutes), minutes=sum(minutes), units=units)
