"""Writing one calendar entry (RFC 5545, 5546); its identity and sequence belong to the caller."""

from datetime import UTC, datetime
from typing import Literal

from icalendar import Calendar, Event, vCalAddress

Method = Literal["REQUEST", "CANCEL"]

_PRODUCT = "-//Kindred//Sessions//EN"


def calendar_entry(
    *,
    uid: str,
    sequence: int,
    starts_at: datetime,
    ends_at: datetime,
    summary: str,
    method: Method = "REQUEST",
    organizer: str,
    attendee: str,
    now: datetime,
) -> bytes:
    """The entry as a text/calendar part carries it.

    A calendar that knows the uid replaces its entry when the sequence is not lower, and removes
    it on CANCEL. Times are UTC, so no zone definition has to travel along.
    """
    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", starts_at.astimezone(UTC))
    event.add("dtend", ends_at.astimezone(UTC))
    event.add("summary", summary)
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    event.add("attendee", vCalAddress(f"mailto:{attendee}"))
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    return bytes(calendar.to_ical())
