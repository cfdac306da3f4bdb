"""Which times suit both people of a match."""

from datetime import datetime, timedelta

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local
from services.scheduling.handlers.access import caller_of
from services.scheduling.handlers.calendars import free_times, load_sides, zone_of
from services.scheduling.handlers.matches import open_match


def show_times(request: Request, work: Work) -> Answer:
    """Times in UTC, and as the clock shows them: a client's own, otherwise the session's."""
    match = open_match(request, request.path["match_id"], work)
    sides = load_sides(match.parties(), request.query["room_id"], work)
    window = _window(request, work.now)
    length = timedelta(minutes=request.query["minutes"])
    times = free_times(sides, window, length, work)
    time_zone = sides.time_zone
    if caller_of(request).role == Role.CLIENT:
        time_zone = zone_of(match.client_id, work) or time_zone
    items = [
        {
            "starts_at": span.starts_at,
            "ends_at": span.ends_at,
            "wall_starts_at": local(span.starts_at, time_zone),
        }
        for span in times
    ]
    minutes = request.query["minutes"]
    body = {"match_id": match.id, "time_zone": time_zone, "minutes": minutes, "items": items}
    return Answer(body)


def _window(request: Request, now: datetime) -> Span:
    """The window asked for; by default two weeks from its beginning."""
    start: datetime = request.query.get("from_", now)
    latest = now + policy.FURTHEST_AHEAD
    if start > latest:
        raise Invalid({"from": ["Lies more than a year ahead."]})
    start = max(start, now)
    end: datetime = request.query.get("to", start + policy.DEFAULT_WINDOW)
    if end <= start:
        raise Invalid({"to": ["Lies in the past or before `from`."]})
    if end - start > policy.LONGEST_WINDOW:
        raise Invalid({"to": [f"At most {policy.LONGEST_WINDOW.days} days are looked at."]})
    return Span(start, end)
