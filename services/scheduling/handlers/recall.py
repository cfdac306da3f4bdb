"""What a restored database has forgotten of its own events: sessions, their time, contacts.

A session's event tells it whole, but for its room: who was to meet, and when. A contact's event
tells the numbers: what kind it was, and in which setting, is unknown until the peer corrects it.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.chassis import links
from services.chassis.work import Work
from services.scheduling.domain import contacts
from services.scheduling.domain.leave import Leave, Question, Wish
from services.scheduling.domain.leave import State as LeaveState
from services.scheduling.domain.sessions import Cause, Match, Session, State
from services.scheduling.domain.zones import local
from services.scheduling.handlers.booking import take_time
from services.scheduling.handlers.calendars import load_sides
from services.scheduling.repository import Claims, Contacts, Leaves, Matches, Questions, Sessions

Event = Mapping[str, Any]


def book(event: Event, work: Work) -> None:
    _put(event, State.BOOKED, work)


def cancel(event: Event, work: Work) -> None:
    _put(event, State.CANCELLED, work, cause=Cause(event["cause"]))


def resolve(event: Event, work: Work) -> None:
    _put(event, State(event["outcome"]), work)


def disown(event: Event, work: Work) -> None:
    links.disown_all(work, event["person_id"])


def plan_leave(event: Event, work: Work) -> None:
    _put_leave(event, LeaveState.PLANNED, work)


def withdraw_leave(event: Event, work: Work) -> None:
    _put_leave(event, LeaveState.WITHDRAWN, work)


def ask(event: Event, work: Work) -> None:
    """The question as it was put or answered; its leave and its match were recalled before."""
    questions = Questions(work.connection)
    known = questions.of_match(event["leave_id"], event["match_id"])
    named = ("leave_id", "match_id", "referral_id", "client_id", "clinic_id", "peer_id")
    question = Question(
        id=known.id if known else work.new_id(),
        **{name: event[name] for name in (*named, "peer_organisation_id", "session_ids")},
        wish=Wish(event["wish"]) if "wish" in event else None,
        told_by=event.get("told_by"),
    )
    if known is None:
        Matches(work.connection).confirm(_match_of_contact(event), work.now)
        questions.add(question)
    questions.change(question)


def _put_leave(event: Event, state: LeaveState, work: Work) -> None:
    leaves = Leaves(work.connection)
    known = leaves.lock(event["leave_id"])
    days = {name: local(event[name], event["time_zone"]) for name in ("starts_at", "ends_at")}
    named = ("peer_id", "peer_organisation_id", "time_zone", "starts_at", "ends_at")
    leave = Leave(
        id=event["leave_id"],
        **{name: event[name] for name in named},
        first_day=days["starts_at"].date(),
        last_day=(days["ends_at"] - timedelta(days=1)).date(),
        state=state,
        version=known.version + 1 if known else 1,
    )
    if known is None:
        leaves.add(leave)
    leaves.change(leave)


def log_contact(event: Event, work: Work) -> None:
    _put_contact(event, contacts.State.LOGGED, work)


def withdraw_contact(event: Event, work: Work) -> None:
    _put_contact(event, contacts.State.WITHDRAWN, work)


def _put_contact(event: Event, state: contacts.State, work: Work) -> None:
    log = Contacts(work.connection)
    known = log.lock(event["contact_id"])
    if event["match_id"] is not None:
        # Its match was confirmed before.
        Matches(work.connection).confirm(_match_of_contact(event), work.now)
    contact = _contact(event, known, state, work)
    if known is None:
        log.add(contact)
    log.change(contact)
    Matches(work.connection).note_contact(contact.match_ids)


def _put(event: Event, state: State, work: Work, *, cause: Cause | None = None) -> None:
    """The session as the event tells it, and its claims in place of those it had."""
    sessions = Sessions(work.connection)
    known = sessions.lock(event["session_id"])
    session = _session(event, known, state, cause)
    # Its match was confirmed before; if that has ended since, the event that says so is heard next.
    Matches(work.connection).confirm(_match(session), work.now)
    if known is None:
        sessions.add(session)
    sessions.change(session)
    Matches(work.connection).note_contact([session.match_id])
    if state is State.CANCELLED:
        Claims(work.connection).release([session.id])
    else:
        take_time(session, load_sides(session.parties, session.room_id, work), work)


def _match(session: Session) -> Match:
    return Match(
        id=session.match_id,
        referral_id=session.referral_id,
        **vars(session.parties),
        mode=session.mode,
        state="confirmed",
    )


def _match_of_contact(event: Event) -> Match:
    named = ("referral_id", "client_id", "clinic_id", "peer_id", "peer_organisation_id")
    facts = {name: event[name] for name in named}
    return Match(id=event["match_id"], **facts, mode=None, state="confirmed")


def _contact(
    event: Event, known: contacts.Contact | None, state: contacts.State, work: Work
) -> contacts.Contact:
    """The entry as the event tells it; of a group, those whose matches are known."""
    named = Matches(work.connection).find_many(event["match_ids"])
    numbers = {name: event[name] for name in ("started_at", "minutes", "people", "session_id")}
    if numbers["session_id"] and Sessions(work.connection).find(numbers["session_id"]) is None:
        numbers["session_id"] = None
    return contacts.Contact(
        id=event["contact_id"],
        peer_id=event["peer_id"],
        peer_organisation_id=event["peer_organisation_id"],
        time_zone=event["time_zone"],
        state=state,
        version=known.version + 1 if known else 1,
        details=contacts.Details(
            form=contacts.Form(event["form"]),
            kind=known.details.kind if known else None,
            setting=known.details.setting if known else None,
            participants=tuple(contacts.participant(match) for match in named),
            **numbers,
        ),
    )


def _session(event: Event, known: Session | None, state: State, cause: Cause | None) -> Session:
    named = ("match_id", "referral_id", "client_id", "clinic_id", "peer_id", "peer_organisation_id")
    told = ("starts_at", "ends_at", "time_zone", "revision", "mode")
    return Session(
        id=event["session_id"],
        **{name: event[name] for name in (*named, *told)},
        room_id=known.room_id if known else None,
        state=state,
        cause=cause,
        version=known.version + 1 if known else 1,
    )
