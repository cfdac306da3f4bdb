"""A peer's own hours of the week, and their time away."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from services.chassis.http.forms import errors_by_field, take_step
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, in_the_way, noted
from services.chassis.problems import Invalid, NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.scheduling.domain.availability import DAYS, Availability
from services.scheduling.domain.leave import AlreadyAway, Leave
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.pages.week import peer_of
from services.scheduling.repository import AvailabilityOf, Leaves, People, Person, Questions
from services.scheduling.schemas.hours import AvailabilitySchema

PATH: Final = "/scheduling/hours"
_FIELDS: Final = ("first_day", "last_day", *DAYS)
# Such as `9-12`, `13:30 to 17` or `9am-5:30 pm`; telephones make a long dash of a short one.
_TIME = r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?"
_HOURS: Final = re.compile(rf"\s*{_TIME}\s*(?:-|–|to|a)\s*{_TIME}\s*", re.ASCII | re.IGNORECASE)

_UNREAD: Final = noted("Write hours such as 9:00-12:30, several with a comma between them.")


def show(request: Request, work: Work) -> Answer:
    peer = peer_of(request, work)
    found = AvailabilityOf(work.connection).find(peer.id)
    typed = [(day, _written(found[0], day)) for day in DAYS] if found else []
    return _page(replace(request, form=Form(typed)), peer, work, {})


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    """With what was typed; where that were the days of a leave, with the hours as they are."""
    words, peer = Words(PAGES, request.language), peer_of(request, work)
    errors = errors_by_field(problem.errors, _FIELDS, words)
    typed = request.form
    if typed.get("act") != "hours":
        found = AvailabilityOf(work.connection).find(peer.id)
        kept = [(day, _written(found[0], day)) for day in DAYS] if found else []
        typed = Form([*typed.only(("first_day", "last_day")).pairs(), *kept])
    told = in_the_way(problem, request.language)
    if problem.slug == AlreadyAway.slug:
        errors["first_day"] = words(noted("Some of these days are in another time away already."))
    return _page(replace(request, form=typed), peer, work, errors, told)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    peer, form = peer_of(request, work), request.form
    if form.get("act") == "hours":
        _put_hours(peer, form, work)
        return Answer(location=PATH)
    path: dict[str, Any] = {"person_id": peer.id}
    if form.get("act") == "withdraw":
        path = {"leave_id": _id(form.get("leave_id", ""))}
        form = form.without("leave_id")
    own = Form((name, value) for name, value in form.pairs() if name not in DAYS)
    take_step(replace(request, form=own), work, routes, path=path)
    return Answer(location=PATH)


def _put_hours(peer: Person, form: Form, work: Work) -> None:
    """The week as typed; dates that differ stay, and so does what is booked."""
    People(work.connection).lock(peer.id)
    hours = AvailabilityOf(work.connection)
    found = hours.find(peer.id)
    zone = found[0].time_zone if found else zone_of(peer.id, work) or "UTC"
    errors: dict[str, list[str]] = {}
    weekly = []
    for day in DAYS:
        read = _read(form.get(day, ""))
        if read is None:
            errors[day] = [
                noted("Write hours such as 9:00-12:30, several with a comma between them.")
            ]
            continue
        weekly += [{"day": day, "from": start, "to": end} for start, end in read]
    wrong: dict[str, list[str]] = {}
    sent = {"time_zone": zone, "weekly": weekly}
    read_hours = load(schema_of(AvailabilitySchema), sent, "body", wrong)
    for path, messages in wrong.items():
        number = path.split(".")[1:2]
        place = weekly[int(number[0])]["day"] if number and number[0].isdecimal() else DAYS[0]
        errors.setdefault(place, messages)
    if errors:
        raise Invalid(errors)
    hours.put(peer, replace(read_hours, exceptions=found[0].exceptions if found else ()))


def _read(text: str) -> list[tuple[str, str]] | None:
    """Hours as the API writes them; None where they cannot be read."""
    result = []
    for piece in re.split(r"[,;]", text):
        if not piece.strip():
            continue
        found = _HOURS.fullmatch(piece)
        if found is None:
            return None
        result.append((_clock(*found.groups()[:3]), _clock(*found.groups()[3:])))
    return result


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    number = int(hour)
    if half:
        number = number % 12 + (12 if half.lower() == "pm" else 0)
    return f"{number:02}:{minute or '00'}"


def _written(hours: Availability, day: str) -> str:
    return ", ".join(
        f"{_time(one.hours.from_minute)}-{_time(one.hours.to_minute)}"
        for one in sorted(hours.weekly)
        if one.day == day
    )


def _time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _page(
    request: Request, peer: Person, work: Work, errors: Mapping[str, str], told: str | None = None
) -> Answer:
    words = Words(PAGES, request.language)
    html = PAGES.visited(
        "hours.html",
        request,
        days=words.options(wording.DAY),
        leaves=[
            _leave(one, words, work) for one in Leaves(work.connection).of_peer(peer.id, work.now)
        ],
        zone=zone_of(peer.id, work) or "UTC",
        errors=errors,
        told=told,
    )
    return Answer(html=html)


def _leave(leave: Leave, words: Words, work: Work) -> dict[str, Any]:
    questions = Questions(work.connection).of_leave(leave.id)
    return {
        "id": leave.id,
        "version": leave.version,
        "first_day": words.day(leave.first_day),
        "last_day": words.day(leave.last_day),
        "asked": len(questions),
        "answered": sum(one.wish is not None for one in questions),
        "has_begun": leave.starts_at <= work.now,
    }
