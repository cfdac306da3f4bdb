"""When a person can be met, also on days on which clocks change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.domain.availability import (
    DAYS,
    WHOLE_DAY,
    Availability,
    DatedException,
)
from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local
from tests.unit.scheduling.examples import STARTS, availabilities, hours, weekly

CHICAGO = "America/Chicago"
QUARTER = timedelta(minutes=15)


def day(month: int, number: int) -> Span:
    start = datetime(2027, month, number, tzinfo=UTC)
    return Span(start, start + timedelta(days=2))


def open_hours(availability: Availability, window: Span) -> list[tuple[str, str]]:
    spans = availability.open_between(window)
    return [(f"{span.starts_at:%d %H:%M}", f"{span.ends_at:%d %H:%M}") for span in spans]


def test_hours_of_the_week_follow_the_persons_clock() -> None:
    assert open_hours(weekly(CHICAGO, "mon 9-17"), day(1, 4)) == [("04 15:00", "04 23:00")]
    assert open_hours(weekly(CHICAGO, "mon 9-17"), day(7, 5)) == [("05 14:00", "05 22:00")]


def test_an_hour_that_the_clocks_skip_is_not_open() -> None:
    assert open_hours(weekly(CHICAGO, "sun 2-3"), day(3, 14)) == []
    assert open_hours(weekly(CHICAGO, "sun 1-4"), day(3, 14)) == [("14 07:00", "14 09:00")]


def test_an_hour_that_the_clocks_repeat_is_open_twice() -> None:
    assert open_hours(weekly(CHICAGO, "sun 1-2"), day(11, 7)) == [("07 06:00", "07 08:00")]
    assert open_hours(weekly(CHICAGO, "sun 1:15-1:45"), day(11, 7)) == [
        ("07 06:15", "07 06:45"),
        ("07 07:15", "07 07:45"),
    ]


def test_hours_until_midnight_and_from_midnight_are_one_stretch() -> None:
    late = weekly(CHICAGO, "mon 22-24", "tue 0-2")

    assert open_hours(late, day(1, 5)) == [("05 04:00", "05 08:00")]


def test_a_date_off_closes_the_day_and_nothing_else() -> None:
    off = DatedException(date(2027, 1, 4), available=False, hours=WHOLE_DAY)
    person = replace(weekly(CHICAGO, "mon 9-17", "tue 9-17"), exceptions=(off,))

    assert open_hours(person, day(1, 4)) == [("05 15:00", "05 23:00")]


def test_an_extra_date_opens_hours_beyond_the_week() -> None:
    extra = DatedException(date(2027, 1, 5), available=True, hours=hours("9-10"))
    person = replace(weekly(CHICAGO), exceptions=(extra,))

    assert open_hours(person, day(1, 4)) == [("05 15:00", "05 16:00")]


def test_being_away_outweighs_being_there() -> None:
    there = DatedException(date(2027, 1, 4), available=True, hours=hours("9-12"))
    away = DatedException(date(2027, 1, 4), available=False, hours=hours("10-11"))
    person = replace(weekly(CHICAGO), exceptions=(there, away))

    assert open_hours(person, day(1, 4)) == [("04 15:00", "04 16:00"), ("04 17:00", "04 18:00")]


def test_a_session_that_ends_with_the_hours_suits_and_a_minute_longer_does_not() -> None:
    person = weekly(CHICAGO, "mon 9-10")
    start = datetime(2027, 1, 4, 15, tzinfo=UTC)

    assert person.suits(Span(start, start + timedelta(minutes=60)))
    assert not person.suits(Span(start, start + timedelta(minutes=61)))


@given(st.data(), STARTS)
def test_a_moment_is_open_exactly_if_the_clock_shows_open_hours(
    data: st.DataObject, start: datetime
) -> None:
    person = data.draw(availabilities(start))
    spans = person.open_between(Span(start, start + timedelta(days=3)))

    for quarter in range(3 * 24 * 4):
        moment = start + quarter * QUARTER
        is_open = any(span.starts_at <= moment < span.ends_at for span in spans)
        assert is_open == clock_shows_open(person, moment)


def clock_shows_open(person: Availability, moment: datetime) -> bool:
    shown = local(moment, person.time_zone)
    minute = shown.hour * 60 + shown.minute
    dated = [
        exception.available
        for exception in person.exceptions
        if exception.date == shown.date()
        and exception.hours.from_minute <= minute < exception.hours.to_minute
    ]
    weekly_open = any(
        one.day == DAYS[shown.weekday()] and one.hours.from_minute <= minute < one.hours.to_minute
        for one in person.weekly
    )
    return (weekly_open or True in dated) and False not in dated
