"""What can become of a session, and what cannot."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.chassis.errors import DomainError
from services.scheduling.domain import policy, sessions
from services.scheduling.domain.sessions import Cause, Chooser, Match, Session, State, check_time
from services.scheduling.domain.spans import Span
from tests.unit.scheduling.examples import weekly

START = datetime(2027, 1, 4, 15, tzinfo=UTC)
PEER = UUID(int=5)
BEFORE, AFTER = START - timedelta(days=1), START + timedelta(hours=2)
LATER = Span(START + timedelta(days=1), START + timedelta(days=1, minutes=50))


def session(state: State = State.BOOKED) -> Session:
    return Session(
        id=UUID(int=1),
        match_id=UUID(int=2),
        referral_id=UUID(int=3),
        client_id=UUID(int=4),
        peer_id=UUID(int=5),
        clinic_id=UUID(int=6),
        peer_organisation_id=UUID(int=7),
        room_id=None,
        mode="video",
        starts_at=START,
        ends_at=START + timedelta(minutes=50),
        time_zone="America/Chicago",
        revision=0,
        state=state,
        cause=Cause.PEER if state == State.CANCELLED else None,
        version=1,
    )


def match(state: str, peer_id: UUID | None = PEER) -> Match:
    return Match(
        id=UUID(int=2),
        referral_id=UUID(int=3),
        client_id=UUID(int=4),
        clinic_id=UUID(int=6),
        peer_id=peer_id,
        peer_organisation_id=UUID(int=7),
        mode="video",
        state=state,
    )


def move(one: Session, now: datetime) -> Session:
    return one.moved(LATER, time_zone=one.time_zone, room_id=None, now=now)


def test_another_time_is_another_revision_of_the_same_entry() -> None:
    moved = move(session(), BEFORE)

    assert (moved.id, moved.revision, moved.span) == (session().id, 1, LATER)


def test_cancelling_raises_the_revision_once_more() -> None:
    cancelled = move(session(), BEFORE).cancelled(Cause.CLIENT, BEFORE)

    assert (cancelled.state, cancelled.revision) == (State.CANCELLED, 2)


@pytest.mark.parametrize(
    ("state", "now", "refusal"),
    [
        (State.CANCELLED, BEFORE, sessions.AlreadyCancelled),
        (State.BOOKED, START, sessions.AlreadyBegun),
        (State.HELD, AFTER, sessions.AlreadyBegun),
    ],
)
def test_what_is_over_is_neither_moved_nor_cancelled(
    state: State, now: datetime, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        move(session(state), now)
    with pytest.raises(refusal):
        session(state).cancelled(Cause.CLIENT, now)


def test_how_it_went_is_not_told_before_it_began() -> None:
    with pytest.raises(sessions.NotBegun):
        session().resolved(State.HELD, BEFORE)


def test_an_outcome_can_be_corrected_and_is_not_recorded_twice() -> None:
    unresolved = session().resolved(State.UNRESOLVED, AFTER)

    assert unresolved.resolved(State.HELD, AFTER).state == State.HELD
    with pytest.raises(sessions.AlreadyRecorded):
        unresolved.resolved(State.UNRESOLVED, AFTER)


def test_an_outcome_is_no_change_of_the_calendar_entry() -> None:
    assert session().resolved(State.NOT_HELD, AFTER).revision == 0


def test_a_cancelled_session_has_no_outcome() -> None:
    with pytest.raises(sessions.AlreadyCancelled):
        session(State.CANCELLED).resolved(State.HELD, AFTER)


@pytest.mark.parametrize("state", ["shortlisted", "offered", "chosen"])
def test_a_match_without_both_yeses_is_not_booked_on(state: str) -> None:
    with pytest.raises(sessions.MatchNotConfirmed):
        match(state).parties()


def test_a_match_without_a_peer_is_not_booked_on() -> None:
    with pytest.raises(sessions.MatchNotConfirmed):
        match("confirmed", peer_id=None).parties()


def test_an_ended_match_is_not_booked_on() -> None:
    with pytest.raises(sessions.MatchEnded):
        match("ended").parties()


@pytest.mark.parametrize("state", ["confirmed", "active"])
def test_a_match_that_goes_on_is_booked_on(state: str) -> None:
    assert match(state).parties().peer_id == UUID(int=5)


CLIENT = Chooser(keeps_lead_time=True, overrules_hours=False)
STAFF = Chooser(keeps_lead_time=False, overrules_hours=False)
OVERRULING = Chooser(keeps_lead_time=False, overrules_hours=True)
HOURS = weekly("America/Chicago", "mon 9-10")


def test_a_client_keeps_the_lead_time_and_staff_need_not() -> None:
    now = START - timedelta(hours=1)
    check_time(session().span, [HOURS], STAFF, now=now)

    with pytest.raises(sessions.TooSoon):
        check_time(session().span, [HOURS], CLIENT, now=now)


def test_a_time_that_was_just_offered_can_still_be_chosen() -> None:
    now = START - policy.LEAD_TIME + timedelta(minutes=10)

    check_time(session().span, [HOURS], CLIENT, now=now)


def test_outside_the_hours_of_either_nobody_books_without_saying_so() -> None:
    for hours in ([HOURS, None], [None, HOURS]):
        with pytest.raises(sessions.OutsideAvailability):
            check_time(LATER, hours, STAFF, now=BEFORE)
        check_time(LATER, hours, OVERRULING, now=BEFORE)


def test_no_refusal_blames_anybody() -> None:
    refusals = [one for one in vars(sessions).values() if _is_refusal(one)]

    assert len(refusals) == 9
    for refusal in refusals:
        words = refusal().title.lower()
        assert not {"fail", "no-show", "missed", "invalid", "reject"} & set(words.split())


def _is_refusal(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, DomainError) and one is not DomainError
