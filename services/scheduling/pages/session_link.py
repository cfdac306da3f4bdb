"""The page behind a session's link: what is booked, and what its reader can change."""

from datetime import datetime

from babel.dates import format_date, format_time

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.links import Link
from services.chassis.problems import Gone, Invalid
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.sessions import (
    Cause,
    Chooser,
    Session,
    State,
    TimeTaken,
    check_time,
)
from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local
from services.scheduling.handlers.booking import span_of
from services.scheduling.handlers.calendars import free_times, load_sides, zone_of
from services.scheduling.handlers.changes import call_off, move
from services.scheduling.handlers.telling import tell_disowned
from services.scheduling.handlers.views import place_of
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Sessions


def show(link: Link, work: Work) -> Answer:
    return _show(
        _session_of(link, Sessions(work.connection).find(link.subject_id), work),
        link,
        work,
    )


def use(link: Link, request: Request, work: Work) -> Answer:
    session = _session_of(link, Sessions(work.connection).lock(link.subject_id), work)
    match request.form.get("act"):
        case "cancel":
            return _cancel(session, link, work)
        case "move":
            return _move(session, link, request, work)
        case "not-me":
            links.disown(work, link)
            tell_disowned(session, link.person_id, work)
            return _done("not-me", session, link, work)
        case _:
            raise Invalid({"act": ["Must be cancel, move or not-me."]})


def _cancel(session: Session, link: Link, work: Work) -> Answer:
    links.use(work, link)
    cause = Cause.PEER if link.person_id == session.peer_id else Cause.CLIENT
    [cancelled] = call_off([session], cause, work)
    return _done("cancelled", cancelled, link, work)


def _move(session: Session, link: Link, request: Request, work: Work) -> Answer:
    """Move to a time that the page offered; if it is taken by now, offer the others."""
    sides = load_sides(session.parties, session.room_id, work)
    span = span_of(_chosen(request), session.span.length, work.now)
    hours = [sides.peer_hours, sides.client_hours]
    chooser = Chooser(keeps_lead_time=True, overrules_hours=False)
    check_time(span, hours, chooser, now=work.now)
    try:
        with work.connection.transaction():
            moved = move(session, span, sides, work)
    except TimeTaken:
        return _show(session, link, work, taken=True)
    links.use(work, link)
    return _done("moved", moved, link, work)


def _session_of(link: Link, session: Session | None, work: Work) -> Session:
    """The link's session, as long as its reader can change it."""
    people = (session.client_id, session.peer_id) if session else ()
    if session is None or link.person_id not in people:
        raise Gone
    if session.state != State.BOOKED or session.starts_at <= work.now:
        raise Gone
    return session


def _show(session: Session, link: Link, work: Work, *, taken: bool = False) -> Answer:
    zone = zone_of(link.person_id, work) or session.time_zone
    sides = load_sides(session.parties, session.room_id, work)
    window = Span(work.now, work.now + policy.DEFAULT_WINDOW)
    times = free_times(sides, window, session.span.length, work, besides=session.id)
    offered = [span.starts_at for span in times if span != session.span]
    html = PAGES.linked(
        "session.html",
        link,
        when=_words(session.starts_at, zone, link.language),
        zone=_place_in(zone),
        mode=session.mode,
        place=place_of(session, work),
        taken=taken,
        times=[
            (starts_at.isoformat(), _words(starts_at, zone, link.language))
            for starts_at in offered[: policy.TIMES_ON_A_PAGE]
        ],
    )
    return Answer(html=html, status=409 if taken else None)


def _done(what: str, session: Session, link: Link, work: Work) -> Answer:
    zone = zone_of(link.person_id, work) or session.time_zone
    when = _words(session.starts_at, zone, link.language)
    html = PAGES.linked("done.html", link, what=what, when=when, zone=_place_in(zone))
    return Answer(html=html)


def _chosen(request: Request) -> datetime:
    try:
        chosen = datetime.fromisoformat(request.form.get("starts_at", ""))
    except ValueError:
        chosen = None
    if chosen is None or chosen.tzinfo is None:
        raise Invalid({"starts_at": ["Not one of the times on the page."]})
    return chosen


def _words(moment: datetime, zone: str, language: str) -> str:
    """The moment as people say it, by the clock of the zone."""
    shown = local(moment, zone)
    day = format_date(shown, "full", locale=language)
    return f"{day}, {format_time(shown, 'short', locale=language)}"


def _place_in(zone: str) -> str:
    """The place that a zone is named after: America/New_York is New York."""
    return zone.rpartition("/")[2].replace("_", " ")
