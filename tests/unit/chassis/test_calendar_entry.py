"""The calendar entry, as a calendar program reads it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from icalendar import Calendar

from services.chassis.calendar_entry import calendar_entry

START = datetime(2026, 12, 1, 9, 30, tzinfo=timezone(timedelta(hours=-8)))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def written(**changes: Any) -> Any:
    facts: dict[str, Any] = {
        "uid": "7@kindred.example",
        "sequence": 2,
        "starts_at": START,
        "ends_at": START + timedelta(minutes=50),
        "summary": "Appointment, with; signs",
        "organizer": "appointments@kindred.example",
        "attendee": "ana@example.org",
        "now": NOW,
    }
    return Calendar.from_ical(calendar_entry(**(facts | changes)))


def test_an_entry_keeps_its_identity_sequence_and_utc_times() -> None:
    calendar = written()
    (event,) = calendar.walk("VEVENT")

    assert calendar["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"]) == ("7@kindred.example", 2)
    assert event["DTSTART"].to_ical() == b"20261201T173000Z"
    assert event["DTEND"].to_ical() == b"20261201T182000Z"
    assert event["DTSTAMP"].to_ical() == b"20261123T120000Z"
    assert event["SUMMARY"] == "Appointment, with; signs"
    assert event["STATUS"] == "CONFIRMED"
    assert event["ATTENDEE"] == "mailto:ana@example.org"


def test_a_cancelled_entry_says_so_twice() -> None:
    calendar = written(method="CANCEL", sequence=3)
    (event,) = calendar.walk("VEVENT")

    assert calendar["METHOD"] == "CANCEL"
    assert event["STATUS"] == "CANCELLED"


def test_lines_end_and_fold_as_the_standard_says() -> None:
    raw = calendar_entry(
        uid="7",
        sequence=0,
        starts_at=START,
        ends_at=START,
        summary="é" * 100,
        organizer="a@example.org",
        attendee="b@example.org",
        now=NOW,
    )

    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
