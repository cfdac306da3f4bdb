"""What a restored database has forgotten of its own events: sessions and the time they hold.

A session's event tells it whole, but for its room: who was to meet, and when.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis import links
from services.chassis.work import Work
from services.scheduling.domain.sessions import Cause, Match, Session, State
from services.scheduling.handlers.booking import take_time
from services.scheduling.handlers.calendars import load_sides
from services.scheduling.repository import Claims, Matches, Sessions

Event = Mapping[str, Any]


def book(event: Event, work: Work) -> None:
    _put(event, State.BOOKED, work)


def cancel(event: Event, work: Work) -> None:
    _put(event, State.CANCELLED, work, cause=Cause(event["cause"]))


def resolve(event: Event, work: Work) -> None:
    _put(event, State(event["outcome"]), work)


def disown(event: Event, work: Work) -> None:
    links.disown_all(work, event["person_id"])


def _put(event: Event, state: State, work: Work, *, cause: Cause | None = None) -> None:
    """The session as the event tells it, and its claims in place of those it had."""
    sessions = Sessions(work.connection)
    known = sessions.lock(event["session_id"])
    session = _session(event, known, state, cause)
    # Its match was confirmed before; if that has ended since, the event that says so is heard next.
    Matches(work.connection).confirm(_match(session))
    if known is None:
        sessions.add(session)
    sessions.change(session)
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
