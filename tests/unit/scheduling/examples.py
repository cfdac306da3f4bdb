"""What several tests of scheduling's rules draw from: zones whose clocks change, and hours."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from services.scheduling.domain.availability import (
    DAYS,
    Availability,
    DatedException,
    Hours,
    WeeklyHours,
)

# Clocks changed by one hour, by half an hour, in the south, at midnight, against summer, never.
ZONES = (
    "America/Chicago",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Europe/Dublin",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Santiago",
)
# Near a day on which clocks change somewhere, and on others.
STARTS = st.one_of(
    st.sampled_from([datetime(2027, 3, 13, tzinfo=UTC), datetime(2027, 11, 6, tzinfo=UTC)]),
    st.integers(0, 365).map(lambda day: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day)),
)
HOURS = st.tuples(st.integers(0, 95), st.integers(1, 96)).map(
    lambda quarters: Hours(min(quarters) * 15, max(quarters[0] + 1, quarters[1]) * 15)
)
WEEKLY = st.lists(st.builds(WeeklyHours, st.sampled_from(DAYS), HOURS), max_size=8).map(tuple)


def exceptions_near(day: date) -> st.SearchStrategy[tuple[DatedException, ...]]:
    dates = st.integers(-1, 6).map(lambda days: day + timedelta(days=days))
    return st.lists(st.builds(DatedException, dates, st.booleans(), HOURS), max_size=4).map(tuple)


@st.composite
def availabilities(draw: st.DrawFn, start: datetime) -> Availability:
    return Availability(
        draw(st.sampled_from(ZONES)), draw(WEEKLY), draw(exceptions_near(start.date()))
    )


def hours(text: str) -> Hours:
    """`9-17` or `9:30-11`."""
    start, end = (part.partition(":") for part in text.split("-"))
    return Hours(int(start[0]) * 60 + int(start[2] or 0), int(end[0]) * 60 + int(end[2] or 0))


def weekly(zone: str, *days: str) -> Availability:
    """`weekly("America/Chicago", "mon 9-17", "sun 1-3")`."""
    told = [day.split(" ") for day in days]
    return Availability(zone, tuple(WeeklyHours(day, hours(text)) for day, text in told))
