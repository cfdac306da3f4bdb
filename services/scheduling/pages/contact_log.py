"""The contact log on a page: any contact, booked or not, entered in a few choices."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from services.chassis.http.forms import as_body, errors_by_field, take_step
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import Invalid, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.scheduling.domain.zones import local
from services.scheduling.domain.zones import zone as zone_named
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.handlers.contact_log import list_contacts, log
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.pages.week import peer_of, people_of
from services.scheduling.schemas.contacts import ContactBodySchema

_LISTS: Final = ("match_ids",)
_FIELDS: Final = ("match_ids", "minutes", "kind", "setting", "form", "people", "day", "time")
_USUAL: Final = (("form", "person"), ("kind", "conversation"), ("minutes", "30"))
# The page asks for day and time of day; the log's own field is the moment that they make.
_MOMENT: Final = "started_at"


def show_form(request: Request, work: Work) -> Answer:
    """What most contacts are is filled in; who it was, if one came from them."""
    typed = list(_USUAL)
    typed += [(name, str(told)) for name, told in request.query.items() if told]
    return _form(replace(request, form=Form(typed)), work, {})


def send(request: Request, work: Work) -> Answer:
    peer = peer_of(request, work)
    errors: dict[str, list[str]] = {}
    sent = _body(request.form, zone_of(peer.id, work) or "UTC", work.now)
    body = load(schema_of(ContactBodySchema), sent, "body", errors)
    if errors:
        raise Invalid(errors)
    log(replace(request, body=body), work)
    return Answer(location="/scheduling/contacts")


def show_form_again(request: Request, work: Work, problem: Problem) -> Answer:
    words = Words(PAGES, request.language)
    errors = errors_by_field(problem.errors, _FIELDS, words)
    if _MOMENT in errors:
        errors["day"] = errors.pop(_MOMENT)
    return _form(request, work, errors, told=in_the_way(problem, request.language))


def show_list(request: Request, work: Work) -> Answer:
    words, peer = Words(PAGES, request.language), peer_of(request, work)
    zone = zone_of(peer.id, work) or "UTC"
    asked = {"peer_id": None, "referral_id": None, "from_": None, "to": None, **request.query}
    listed = list_contacts(replace(request, query=asked), work)
    html = PAGES.visited(
        "contacts.html",
        request,
        words=words,
        wording=wording,
        rows=[
            {**row, "when": words.moment(row["details"].started_at, zone)} for row in listed.body
        ],
        following=listed.next_cursor,
        zone=zone,
    )
    return Answer(html=html)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    take_step(request, work, routes)
    return Answer(location="/scheduling/contacts")


def _body(form: Form, zone: str, now: datetime) -> dict[str, Any]:
    """What was typed, as the API takes it: numbers as such, and the moment of day and time."""
    body = as_body(form, _LISTS)
    for name in ("minutes", "people"):
        if str(body.get(name, "")).isascii() and str(body.get(name, "")).isdigit():
            body[name] = int(body[name])
    moment = _started(body.pop("day", None), body.pop("time", None), body.get("minutes"), zone, now)
    return body | {_MOMENT: moment}


def _started(day: object, at: object, minutes: object, zone: str, now: datetime) -> str:
    """Without a time the contact has just ended, or on an earlier day was at noon."""
    try:
        on = date.fromisoformat(str(day)) if day else local(now, zone).date()
        if at:
            wall = datetime.combine(on, time.fromisoformat(str(at)))
        elif on == local(now, zone).date() and isinstance(minutes, int):
            return (now - timedelta(minutes=minutes)).isoformat()
        else:
            wall = datetime.combine(on, time(12))
    except (ValueError, OverflowError):
        return ""
    return wall.replace(tzinfo=zone_named(zone)).astimezone(UTC).isoformat()


def _form(
    request: Request, work: Work, errors: Mapping[str, str], *, told: str | None = None
) -> Answer:
    words, peer = Words(PAGES, request.language), peer_of(request, work)
    html = PAGES.visited(
        "contact.html",
        request,
        words=words,
        wording=wording,
        people=people_of(peer, work),
        errors=errors,
        told=told,
        zone=zone_of(peer.id, work) or "UTC",
    )
    return Answer(html=html)
