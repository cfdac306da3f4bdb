"""Until when a consent holds, and for what."""

from datetime import UTC, date, datetime

import pytest

from services.referrals.domain.consent import ANY_PEER_ORGANISATION, Consent, ends_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def consent(scope: list[str], recipients: list[str], until: datetime | None = None) -> Consent:
    return Consent(scope=scope, recipients=recipients, ends_at=until)


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("UTC", datetime(2026, 12, 1, 0, tzinfo=UTC)),
        ("America/Chicago", datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 30, 11, tzinfo=UTC)),
    ],
)
def test_a_consent_until_a_day_holds_through_that_day_where_the_person_lives(
    zone: str, end: datetime
) -> None:
    assert ends_at(date(2026, 11, 30), zone) == end


def test_a_consent_until_a_moment_ends_at_that_moment() -> None:
    until = ends_at(NOON, "America/Chicago")

    assert consent(["matching"], [ANY_PEER_ORGANISATION], until).has_ended(NOON)


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])
def test_the_last_day_that_systems_write_is_far_and_no_error(zone: str) -> None:
    end = ends_at(date.max, zone)

    assert end is not None
    assert end.year >= 9998


def test_a_consent_without_end_holds_on() -> None:
    assert consent(["matching"], [ANY_PEER_ORGANISATION]).allows_matching(NOON)


def test_matching_needs_its_scope_and_somebody_to_tell() -> None:
    assert not consent(["notification"], [ANY_PEER_ORGANISATION]).allows_matching(NOON)
    assert not consent(["matching"], []).allows_matching(NOON)
