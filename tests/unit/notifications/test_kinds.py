from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notifications.domain.kinds import (
    READERS,
    Kind,
    Occasion,
    Recipient,
    State,
    can_resend,
    readers,
    reminder_time,
)

NOW = datetime(2026, 3, 7, 17, tzinfo=UTC)


def test_every_kind_has_readers() -> None:
    assert set(READERS) == set(Kind)


def test_only_readers_whom_the_occasion_names_are_told() -> None:
    occasion = Occasion(referral_id=UUID(int=1), clinic_id=UUID(int=2), client_id=UUID(int=3))

    assert readers(Kind.MATCH_CONFIRMED, occasion) == [
        (Recipient.CLIENT, UUID(int=3)),
        (Recipient.CLINIC, UUID(int=2)),
    ]


def test_the_organisation_is_the_clinic_until_a_peer_organisation_is_in_it() -> None:
    early = Occasion(referral_id=UUID(int=1), clinic_id=UUID(int=2))

    assert early.org_id == UUID(int=2)
    assert replace(early, peer_organisation_id=UUID(int=9)).org_id == UUID(int=9)


def test_the_reminder_comes_24_real_hours_before_also_over_the_spring_change() -> None:
    starts_at = datetime(2026, 3, 8, 18, tzinfo=UTC)  # the clocks change that morning

    assert reminder_time(starts_at, NOW) == starts_at - timedelta(hours=24)


def test_a_session_that_is_less_than_24_hours_ahead_has_no_reminder() -> None:
    assert reminder_time(NOW + timedelta(hours=24), NOW) is None


def test_what_is_on_its_way_or_was_taken_back_is_not_sent_again() -> None:
    assert [state for state in State if can_resend(state)] == [
        State.DELIVERED,
        State.WITHHELD,
        State.UNDELIVERABLE,
        State.NEEDS_STAFF,
    ]
