"""Booking a session: one transaction claims everybody's time, or nothing."""

from datetime import datetime, timedelta

from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Forbidden, Invalid
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.availability import Availability
from services.scheduling.domain.sessions import Chooser, Match, Session, State, check_time
from services.scheduling.domain.spans import Span
from services.scheduling.handlers.access import caller_of, may_overrule
from services.scheduling.handlers.calendars import Sides, load_sides
from services.scheduling.handlers.matches import keep_match, open_match
from services.scheduling.handlers.telling import tell_booked
from services.scheduling.handlers.views import session_view
from services.scheduling.repository import Claims, Sessions


def book(request: Request, work: Work) -> Answer:
    caller, body = caller_of(request), request.body
    chooser = chooser_of(caller, overrules_hours=body["outside_availability"])
    existing: bool = body["existing"]
    if existing and not may_overrule(caller):
        raise Forbidden("Only the peer or a coordinator can say that both know of it")
    match = keep_match(open_match(request, body["match_id"], work), work)
    sides = load_sides(match.parties(), body["room_id"], work)
    span = span_of(body["starts_at"], timedelta(minutes=body["minutes"]), work.now)
    check_time(span, hours_for(caller, sides), chooser, now=work.now)
    session = _new_session(match, sides, span, body["mode"], work)
    Sessions(work.connection).add(session)
    take_time(session, sides, work)
    tell_booked(session, work, existing=existing)
    view = session_view(session, caller, work)
    return Answer(view, version=session.version, location=f"/sessions/{session.id}")


def chooser_of(caller: Caller, *, overrules_hours: bool) -> Chooser:
    if overrules_hours and not may_overrule(caller):
        raise Forbidden("Only the peer or a coordinator can book outside the hours given")
    return Chooser(keeps_lead_time=caller.role == Role.CLIENT, overrules_hours=overrules_hours)


def hours_for(caller: Caller, sides: Sides) -> list[Availability | None]:
    """The hours that bind a caller: one's own are one's own to differ from."""
    if caller.role == Role.CLIENT:
        return [sides.peer_hours]
    return [sides.peer_hours, sides.client_hours]


def span_of(starts_at: datetime, length: timedelta, now: datetime) -> Span:
    if starts_at <= now:
        raise Invalid({"starts_at": ["Lies in the past."]})
    if starts_at > now + policy.FURTHEST_AHEAD:
        raise Invalid({"starts_at": ["Lies more than a year ahead."]})
    return Span(starts_at, starts_at + length)


def take_time(session: Session, sides: Sides, work: Work) -> None:
    """Claim the session's time on every calendar in place of what it had claimed before."""
    wanted = sides.claims(session.span)
    claims = Claims(work.connection)
    claims.queue_for([claim.resource_id for claim in wanted])
    claims.release([session.id])
    claims.take(session, wanted)


def _new_session(match: Match, sides: Sides, span: Span, mode: str | None, work: Work) -> Session:
    return Session(
        id=work.new_id(),
        match_id=match.id,
        referral_id=match.referral_id,
        **vars(sides.parties),
        room_id=sides.room.id if sides.room else None,
        mode=mode or match.mode or "in-person",
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        time_zone=sides.time_zone,
        revision=0,
        state=State.BOOKED,
        cause=None,
        version=1,
    )
