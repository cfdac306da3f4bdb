from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest

from services.notifications.domain.kinds import Channel, Kind, Recipient, State
from services.notifications.domain.safe_times import Window
from services.notifications.domain.sending import (
    Contact,
    Due,
    Facts,
    HandToStaff,
    MatchFacts,
    Send,
    SessionFacts,
    Stop,
    Verdict,
    Wait,
    decide,
    delay_after_attempt,
    reachable_by,
)

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)  # Monday, 12:00 in New York
CONTACT = Contact(name="Ana", email="ana@example.org", language="en", time_zone="America/New_York")
SESSION = SessionFacts(
    state="booked",
    starts_at=NOW + timedelta(days=2),
    ends_at=NOW + timedelta(days=2, minutes=50),
    time_zone="America/New_York",
    revision=1,
    mode="video",
    place=None,
)


def due(kind: Kind, recipient: Recipient = Recipient.CLIENT, *, revision: int = 1) -> Due:
    about_session = kind.startswith("session")
    return Due(
        id=UUID(int=1),
        kind=kind,
        recipient=recipient,
        recipient_id=UUID(int=2),
        referral_id=UUID(int=3),
        match_id=None if kind.startswith("referral") else UUID(int=4),
        session_id=UUID(int=5) if about_session else None,
        session_revision=revision if about_session else None,
        clinic_id=UUID(int=6),
        org_id=UUID(int=7),
        state=State.PLANNED,
        channel=None,
        attempts=0,
        waits=0,
        repeats=0,
        version=1,
        language=None,
        detail="discreet",
    )


def told(
    kind: Kind, *, contact: Contact | None = CONTACT, session: SessionFacts = SESSION
) -> Verdict:
    return decide(due(kind), Facts(contact=contact, session=session), now=NOW)


def asked(kind: Kind, state: str) -> Verdict:
    match = MatchFacts(state=state, answer_by=None)
    return decide(due(kind), Facts(contact=CONTACT, match=match), now=NOW)


def test_what_is_true_and_allowed_is_sent_now() -> None:
    assert told(Kind.SESSION_BOOKED) == Send("ana@example.org")


def test_a_time_that_was_changed_is_never_told() -> None:
    moved = replace(SESSION, revision=2)

    for kind in (Kind.SESSION_BOOKED, Kind.SESSION_RESCHEDULED, Kind.SESSION_REMINDER):
        assert told(kind, session=moved) == Stop(State.SUPERSEDED, "session-moved")


def test_a_cancelled_session_is_only_told_to_be_cancelled() -> None:
    cancelled = replace(SESSION, state="cancelled", revision=2)

    assert told(Kind.SESSION_REMINDER, session=cancelled) == (
        Stop(State.SUPERSEDED, "session-cancelled")
    )
    assert told(Kind.SESSION_CANCELLED, session=cancelled) == Send("ana@example.org")


def test_a_reminder_does_not_come_after_the_start() -> None:
    begun = replace(SESSION, starts_at=NOW)

    assert told(Kind.SESSION_REMINDER, session=begun) == Stop(State.SUPERSEDED, "session-past")
    assert told(Kind.SESSION_BOOKED, session=begun) == Send("ana@example.org")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Kind.MATCH_OFFERED, "shortlisted"),
        (Kind.MATCH_OFFERED, "chosen"),
        (Kind.MATCH_CHOSEN, "confirmed"),
        (Kind.MATCH_CONFIRMED, "ended"),
        (Kind.NO_PEER_FOUND, "shortlisted"),
    ],
)
def test_a_match_that_moved_on_is_not_told_about_in_its_old_state(kind: Kind, state: str) -> None:
    assert asked(kind, state) == Stop(State.SUPERSEDED, "match-moved-on")


def test_still_looking_is_told_while_it_is_so() -> None:
    assert asked(Kind.NO_PEER_FOUND, "waiting") == Send("ana@example.org")


def test_whoever_may_not_be_written_to_is_not() -> None:
    silent = replace(CONTACT, allowed=False, reason="do-not-contact")

    assert told(Kind.SESSION_BOOKED, contact=silent) == Stop(State.WITHHELD, "do-not-contact")


def test_a_person_unknown_to_the_owner_is_not_written_to() -> None:
    assert told(Kind.SESSION_BOOKED, contact=None) == Stop(State.WITHHELD, "recipient-unknown")


def test_safe_times_win_even_over_a_cancellation_today() -> None:
    evening = Window(day="mon", start=time(18), end=time(19))
    contact = replace(CONTACT, safe_times=[evening])
    cancelled = replace(SESSION, state="cancelled", starts_at=NOW + timedelta(hours=2))

    verdict = told(Kind.SESSION_CANCELLED, contact=contact, session=cancelled)

    assert verdict == Wait(datetime(2026, 11, 23, 23, tzinfo=UTC))


def test_a_reminder_that_would_come_too_late_to_help_is_withheld() -> None:
    friday = Window(day="fri", start=time(18), end=time(19))
    contact = replace(CONTACT, safe_times=[friday])

    assert told(Kind.SESSION_REMINDER, contact=contact) == Stop(State.WITHHELD, "no-safe-time")


@pytest.mark.parametrize(
    ("preferred", "email", "phone", "reached"),
    [
        (Channel.EMAIL, "a@example.org", None, Channel.EMAIL),
        (Channel.EMAIL, None, "+1", Channel.PHONE),
        (Channel.EMAIL, None, None, Channel.RECEPTION),
        (Channel.SMS, "a@example.org", "+1", Channel.EMAIL),
        (Channel.SMS, None, "+1", Channel.SMS),
        (Channel.PHONE, "a@example.org", "+1", Channel.PHONE),
        (Channel.PHONE, "a@example.org", None, Channel.RECEPTION),
        (Channel.RECEPTION, "a@example.org", "+1", Channel.RECEPTION),
    ],
)
def test_the_channel_is_the_preferred_one_or_the_next_that_exists(
    preferred: Channel, email: str | None, phone: str | None, reached: Channel
) -> None:
    contact = replace(CONTACT, preferred_channel=preferred, email=email, phone=phone)

    assert reachable_by(contact) is reached


def test_what_has_to_ring_is_handed_to_staff() -> None:
    by_phone = replace(CONTACT, preferred_channel=Channel.PHONE, phone="+12025550100")

    assert told(Kind.SESSION_BOOKED, contact=by_phone) == HandToStaff(Channel.PHONE)


def test_a_clinic_without_an_address_reads_the_timeline_instead() -> None:
    message = due(Kind.REFERRAL_ACCEPTED, Recipient.CLINIC)

    verdict = decide(message, Facts(contact=replace(CONTACT, email=None)), now=NOW)

    assert verdict == Stop(State.WITHHELD, "no-address")


def test_the_delay_grows_up_to_an_hour() -> None:
    delays = [delay_after_attempt(attempts) for attempts in (1, 2, 3, 80)]

    assert delays == [
        timedelta(seconds=5),
        timedelta(seconds=10),
        timedelta(seconds=20),
        timedelta(hours=1),
    ]
