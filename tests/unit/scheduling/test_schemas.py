"""What scheduling reads from outside, and what it does not."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from services.scheduling.domain.availability import Availability, DatedException, WeeklyHours
from services.scheduling.schemas.hours import AvailabilitySchema
from services.scheduling.schemas.sessions import BookingSchema
from tests.unit.scheduling.examples import hours

WRITTEN: dict[str, Any] = {
    "time_zone": "America/Chicago",
    "weekly": [{"day": "mon", "from": "09:00", "to": "24:00"}],
    "exceptions": [
        {"date": "2027-01-04", "available": False, "from": "00:00", "to": "24:00"},
        {"date": "2027-01-05", "available": True, "from": "13:30", "to": "14:00"},
    ],
}
READ = Availability(
    "America/Chicago",
    (WeeklyHours("mon", hours("9-24")),),
    (
        DatedException(date(2027, 1, 4), available=False, hours=hours("0-24")),
        DatedException(date(2027, 1, 5), available=True, hours=hours("13:30-14")),
    ),
)


def test_hours_are_read_and_written_as_wall_times() -> None:
    assert AvailabilitySchema().load(WRITTEN) == READ
    assert AvailabilitySchema().dump(READ) == WRITTEN


def test_an_exception_without_hours_is_about_the_whole_day() -> None:
    short = {"date": "2027-01-04", "available": False}
    read = AvailabilitySchema().load({**WRITTEN, "exceptions": [short]})

    assert read.exceptions == READ.exceptions[:1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"weekly": [{"day": "monday", "from": "09:00", "to": "10:00"}]}, "weekly"),
        ({"weekly": [{"day": "mon", "from": "9:00", "to": "10:00"}]}, "weekly"),
        ({"weekly": [{"day": "mon", "from": "10:00", "to": "10:00"}]}, "weekly"),
        ({"weekly": [{"day": "mon", "from": "10:00", "to": "25:00"}]}, "weekly"),
        ({"weekly": [{"day": "mon", "from": "10:00", "to": 11}]}, "weekly"),
        ({"weekly": [{"day": "mon", "from": "0\u0669:00", "to": "10:00"}]}, "weekly"),
        ({"exceptions": [{"date": "2027-02-30", "available": True}]}, "exceptions"),
        ({"exceptions": [{"date": "2027-02-03", "available": True, "to": "9:00"}]}, "exceptions"),
        ({"exceptions": [{"date": "2027-02-03", "available": True, "to": "09:00"}]}, "exceptions"),
        ({"remark": "none"}, "remark"),
    ],
)
def test_hours_that_make_no_sense_are_named_by_their_field(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        AvailabilitySchema().load({**WRITTEN, **change})

    assert field in raised.value.messages_dict


def booking(starts_at: Any) -> dict[str, Any]:
    return {"match_id": "00000000-0000-0000-0000-000000000001", "starts_at": starts_at}


def test_a_moment_is_read_in_any_offset_to_the_second() -> None:
    read = BookingSchema().load(booking("2027-01-04T09:00:00.25-06:00"))

    assert read["starts_at"] == datetime(2027, 1, 4, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    ["2027-01-04T09:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon", 1],
)
def test_a_moment_without_an_offset_or_beyond_time_is_refused(moment: Any) -> None:
    with pytest.raises(ValidationError):
        BookingSchema().load(booking(moment))
