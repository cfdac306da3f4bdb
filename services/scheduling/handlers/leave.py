"""A peer's time away: planned, answered by those whom they meet, taken back, and covered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.leave import (
    CoverNotWished,
    Leave,
    Question,
    State,
    Wish,
    problems,
    span_of_days,
)
from services.scheduling.domain.sessions import (
    Cause,
    Chooser,
    Session,
    check_time,
)
from services.scheduling.handlers.access import caller_of, check_parties, check_peer
from services.scheduling.handlers.booking import take_time
from services.scheduling.handlers.calendars import load_sides, zone_of
from services.scheduling.handlers.changes import call_off
from services.scheduling.handlers.telling import (
    tell_answered,
    tell_asked,
    tell_covered,
    tell_not_asked_any_more,
    tell_planned,
    tell_withdrawn,
)
from services.scheduling.handlers.views import session_view
from services.scheduling.repository import (
    AvailabilityOf,
    Leaves,
    Matches,
    People,
    Person,
    Questions,
    Sessions,
)

_AT_A_TIME = 100
# How far back it counts how much each peer had lately, when one is looked for.
_LATELY = timedelta(days=14)
_SEES_WISHES = (Role.COORDINATOR, Role.SUPERVISOR)


def list_leave(request: Request, work: Work) -> Answer:
    """What is not over yet, the next one first."""
    caller, people = caller_of(request), People(work.connection)
    peer = check_peer(caller, people.find(request.path["person_id"]))
    found = Leaves(work.connection).of_peer(peer.id, work.now)
    return Answer([_view(leave, caller, work) for leave in found])


def show_leave(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    leave = _seen_by(caller, Leaves(work.connection).find(request.path["leave_id"]), work)
    return Answer(_view(leave, caller, work), version=leave.version)


def plan_leave(request: Request, work: Work) -> Answer:
    caller, people = caller_of(request), People(work.connection)
    peer = check_peer(caller, people.lock(request.path["person_id"]))
    leave = plan(peer, request.body, work)
    location = f"/leave/{leave.id}"
    return Answer(_view(leave, caller, work), version=leave.version, location=location)


def plan(peer: Person, days: dict[str, Any], work: Work) -> Leave:
    """Write it down, and ask whoever loses a meeting by it; a long one asks everybody."""
    first_day, last_day = days["first_day"], days["last_day"]
    time_zone = zone_of(peer.id, work) or "UTC"
    if wrong := problems(first_day, last_day, time_zone, work.now):
        raise Invalid(wrong)
    span = span_of_days(first_day, last_day, time_zone)
    leave = Leave(
        id=work.new_id(),
        peer_id=peer.id,
        peer_organisation_id=peer.organisation_id,
        first_day=first_day,
        last_day=last_day,
        time_zone=time_zone,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        state=State.PLANNED,
        version=1,
    )
    Leaves(work.connection).add(leave)
    tell_planned(leave, work)
    _ask(leave, work)
    return leave


def answer(request: Request, work: Work) -> Answer:
    """What the person would like: as they say themselves, or as a coordinator heard it."""
    caller, leave_id, match_id = (
        caller_of(request),
        request.path["leave_id"],
        request.body["match_id"],
    )
    questions = Questions(work.connection)
    question = questions.of_match(leave_id, match_id)
    if question is None or not _may_answer(caller, question):
        raise NotFound
    work.act_for([question.peer_organisation_id, question.clinic_id])
    leave = Leaves(work.connection).lock(leave_id)
    if leave is None:
        raise NotFound
    request.expects(leave.version)
    told_by = "client" if caller.role == Role.CLIENT else "coordinator"
    leave = note_wish(leave, question.id, request.body["wish"], told_by, work)
    return Answer(_view(leave, caller, work), version=leave.version)


def note_wish(leave: Leave, question_id: UUID, wish: Wish, told_by: str, work: Work) -> Leave:
    """Take over what they said about a locked leave; who waits has no sessions meanwhile.

    Whoever wants another peer has their match ended by matching, which calls off what is left.
    """
    leave.check_open(work.now)
    questions = Questions(work.connection)
    question = questions.find(question_id)
    if question is None:
        raise NotFound
    Matches(work.connection).keep_open(question.match_id)
    answered = question.answered(wish, told_by)
    questions.change(answered)
    touched = leave.touched()
    Leaves(work.connection).change(touched)
    tell_answered(answered, work)
    if wish is Wish.WAIT:
        call_off(_at_stake(leave, answered, work), Cause.PEER_AWAY, work)
    return touched


def withdraw_leave(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    leave = _seen_by(caller, Leaves(work.connection).lock(request.path["leave_id"]), work)
    request.expects(leave.version)
    withdrawn = withdraw(leave, work)
    return Answer(_view(withdrawn, caller, work), version=withdrawn.version)


def withdraw(leave: Leave, work: Work) -> Leave:
    """The peer is there after all; what was called off or covered meanwhile stays as it is."""
    withdrawn = leave.withdrawn(work.now)
    Leaves(work.connection).change(withdrawn)
    tell_withdrawn(withdrawn, work)
    for question in Questions(work.connection).of_leave(leave.id):
        tell_not_asked_any_more(question, work)
    return withdrawn


def cover_session(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    session = Sessions(work.connection).lock(request.path["session_id"])
    if session is None:
        raise NotFound
    check_parties(caller, session.parties)
    request.expects(session.version)
    covered = cover(session, request.body["peer_id"], work)
    return Answer(session_view(covered, caller, work), version=covered.version)


def cover(session: Session, peer_id: UUID, work: Work) -> Session:
    """Give a locked session to another peer of the organisation, for the person wished so."""
    session.check_open(work.now)
    work.act_for([session.clinic_id, session.peer_organisation_id])
    question = Questions(work.connection).about_session(session.id, session.peer_id)
    leave = Leaves(work.connection).find(question.leave_id) if question else None
    if question is None or question.wish is not Wish.COVER or not (leave and leave.takes(session)):
        raise CoverNotWished
    peer = People(work.connection).find(peer_id)
    if peer is None or peer.kind != Role.PEER or peer_id == session.peer_id:
        raise Invalid({"peer_id": ["Not another peer of this organisation."]})
    if peer.organisation_id != session.peer_organisation_id:
        raise Invalid({"peer_id": ["Not another peer of this organisation."]})
    covered = session.covered(peer_id, work.now)
    sides = load_sides(covered.parties, covered.room_id, work)
    chooser = Chooser(keeps_lead_time=False, overrules_hours=False)
    check_time(covered.span, [sides.peer_hours], chooser, now=work.now)
    Sessions(work.connection).change(covered)
    take_time(covered, sides, work)
    tell_covered(covered, session.peer_id, work)
    return covered


def free_peers(session: Session, work: Work) -> list[UUID]:
    """Who of the organisation could take the session, whoever had least lately first."""
    span = session.span.extended(policy.PEER_REST_AFTER)
    hours = AvailabilityOf(work.connection).of_free_peers(
        session.peer_organisation_id, span, work.now - _LATELY
    )
    away = Leaves(work.connection).away(list(hours), session.span)
    suited = [
        peer_id
        for peer_id, given in hours.items()
        if peer_id not in away and peer_id != session.peer_id and given.suits(session.span)
    ]
    return suited[: policy.FREE_PEERS_SHOWN]


def to_be_covered(question: Question, work: Work) -> list[Session]:
    """Sessions in the time away that are still booked with whoever is away."""
    leave = Leaves(work.connection).find(question.leave_id)
    asked_about = Sessions(work.connection).find_many(question.session_ids)
    return [one for one in asked_about if leave and leave.takes(one) and one.starts_at > work.now]


def call_off_what_nobody_covers(work: Work) -> None:
    """The day before, a session whose peer is away is called off, whatever was said or not said."""
    soon = work.now + policy.CALLED_OFF_BEFORE
    sessions = Sessions(work.connection).lock_of_those_away(soon, work.now, _AT_A_TIME)
    work.each(sessions, lambda session: _call_off_one(session, work))


def _call_off_one(session: Session, work: Work) -> None:
    work.act_for([session.clinic_id, session.peer_organisation_id])
    call_off([session], Cause.PEER_AWAY, work)


def _ask(leave: Leave, work: Work) -> None:
    booked: dict[UUID, list[UUID]] = {}
    for session in Sessions(work.connection).booked_with(leave.peer_id, leave.span):
        if session.starts_at > work.now:
            booked.setdefault(session.match_id, []).append(session.id)
    matches = Matches(work.connection)
    own, paused = matches.open_of(leave.peer_id), matches.paused_with(leave.peer_id)
    # Sessions that the peer took over from a colleague are at stake as well.
    taken = matches.find_many(sorted(booked.keys() - {match.id for match in own}))
    for match in (*own, *(match for match in taken if match.state == "confirmed")):
        sessions = booked.get(match.id, [])
        # Whoever pauses is asked of nothing but what they have booked for after it.
        if sessions or (leave.asks_everybody and match.id not in paused):
            question = Question(
                id=work.new_id(),
                leave_id=leave.id,
                match_id=match.id,
                referral_id=match.referral_id,
                **vars(replace(match.parties(), peer_id=leave.peer_id)),
                session_ids=sessions,
            )
            Questions(work.connection).add(question)
            tell_asked(question, work)


def _at_stake(leave: Leave, question: Question, work: Work) -> Sequence[Session]:
    locked = Sessions(work.connection).lock_many(question.session_ids)
    return [one for one in locked if leave.takes(one) and one.starts_at > work.now]


def _may_answer(caller: Caller, question: Question) -> bool:
    if caller.role == Role.CLIENT:
        return caller.person == question.client_id
    return not caller.orgs.isdisjoint({question.clinic_id, question.peer_organisation_id})


def _seen_by(caller: Caller, leave: Leave | None, work: Work) -> Leave:
    if leave is None:
        raise NotFound
    check_peer(caller, People(work.connection).find(leave.peer_id))
    return leave


def _view(leave: Leave, caller: Caller, work: Work) -> dict[str, Any]:
    """Who wants what is for staff; the peer sees how many have said, the client their own."""
    questions = Questions(work.connection).of_leave(leave.id)
    shown = questions if caller.role in _SEES_WISHES else []
    if caller.role == Role.CLIENT:
        shown = [one for one in questions if one.client_id == caller.person]
        questions = shown
    return {
        **vars(leave),
        "asked": len(questions),
        "answered": sum(one.wish is not None for one in questions),
        "questions": shown,
    }
