"""Changing a session that exists: another time, cancelled, or how it went."""

from collections.abc import Sequence
from datetime import timedelta

from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.sessions import Cause, Session, State, check_time
from services.scheduling.domain.spans import Span
from services.scheduling.handlers.access import caller_of, check_parties
from services.scheduling.handlers.booking import chooser_of, hours_for, span_of, take_time
from services.scheduling.handlers.calendars import Sides, load_sides
from services.scheduling.handlers.telling import tell_cancelled, tell_outcome, tell_rescheduled
from services.scheduling.handlers.views import session_view
from services.scheduling.repository import Claims, Matches, Sessions

_AT_A_TIME = 100


def reschedule(request: Request, work: Work) -> Answer:
    session, caller, body = _locked(request, work), caller_of(request), request.body
    session.check_open(work.now)
    chooser = chooser_of(caller, overrules_hours=body["outside_availability"])
    sides = load_sides(session.parties, body.get("room_id", session.room_id), work)
    length = timedelta(minutes=body["minutes"]) if "minutes" in body else session.span.length
    span = span_of(body["starts_at"], length, work.now)
    check_time(span, hours_for(caller, sides), chooser, now=work.now)
    return _answer(move(session, span, sides, work), caller, work)


def cancel(request: Request, work: Work) -> Answer:
    session, caller = _locked(request, work), caller_of(request)
    [cancelled] = call_off([session], _cause(request, caller), work)
    return _answer(cancelled, caller, work)


def record_outcome(request: Request, work: Work) -> Answer:
    session, caller = _locked(request, work), caller_of(request)
    return _answer(resolve(session, State(request.body["outcome"]), work), caller, work)


def leave_unresolved(work: Work) -> None:
    """Nobody said how these sessions went; that is a state, and counts against no one."""
    sessions = Sessions(work.connection)
    work.each(
        sessions.lock_without_outcome(work.now - policy.OUTCOME_AWAITED, _AT_A_TIME),
        lambda session: resolve(session, State.UNRESOLVED, work),
    )


def move(session: Session, span: Span, sides: Sides, work: Work) -> Session:
    """Give a locked session its new time and claims, and tell."""
    room_id = sides.room.id if sides.room else None
    moved = session.moved(span, time_zone=sides.time_zone, room_id=room_id, now=work.now)
    Sessions(work.connection).change(moved)
    take_time(moved, sides, work)
    tell_rescheduled(moved, session.starts_at, work)
    return moved


def call_off(sessions: Sequence[Session], cause: Cause, work: Work) -> list[Session]:
    """Cancel locked sessions, give their time back, and tell."""
    cancelled = [session.cancelled(cause, work.now) for session in sessions]
    Claims(work.connection).release([session.id for session in cancelled])
    for session in cancelled:
        Sessions(work.connection).change(session)
        tell_cancelled(session, work)
    return cancelled


def resolve(session: Session, outcome: State, work: Work) -> Session:
    """Note how a locked session went, and with it when the two last met, and tell."""
    work.act_for([session.clinic_id, session.peer_organisation_id])
    resolved = session.resolved(outcome, work.now)
    Sessions(work.connection).change(resolved)
    Matches(work.connection).note_contact([session.match_id])
    tell_outcome(resolved, work)
    return resolved


def _locked(request: Request, work: Work) -> Session:
    session = Sessions(work.connection).lock(request.path["session_id"])
    if session is None:
        raise NotFound
    check_parties(caller_of(request), session.parties)
    request.expects(session.version)
    return session


def _cause(request: Request, caller: Caller) -> Cause:
    """Who cancels: oneself, unless a coordinator records it for somebody."""
    told = Cause(request.body.get("cause", caller.role))
    if caller.role != Role.COORDINATOR and told != Cause(caller.role):
        raise Invalid({"cause": ["Only a coordinator records it for somebody else."]})
    return told


def _answer(session: Session, caller: Caller, work: Work) -> Answer:
    return Answer(session_view(session, caller, work), version=session.version)
