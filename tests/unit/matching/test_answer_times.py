"""By when an answer is expected."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.answer_times import DAYS_BY_CHANNEL, answer_by, review_by

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(("channel", "day"), [("email", 26), ("sms", 25), ("phone", 30)])
def test_each_channel_has_the_time_it_needs(channel: str, day: int) -> None:
    by = answer_by(NOW, channel, "America/Chicago")

    assert by == datetime(2026, 11, day, 18, tzinfo=ZoneInfo("America/Chicago"))
    assert by.tzinfo is UTC


def test_a_search_without_candidates_is_looked_at_within_a_week() -> None:
    found = review_by(NOW, somebody_suits=True, zone="America/Chicago")
    missing = review_by(NOW, somebody_suits=False, zone="America/Chicago")

    assert found < missing


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    channel=st.sampled_from(sorted(DAYS_BY_CHANNEL)),
    zone=st.sampled_from(["America/Chicago", "Europe/Madrid", "Pacific/Kiritimati"]),
)
def test_it_is_always_evening_where_the_person_lives(
    now: datetime, channel: str, zone: str
) -> None:
    by = answer_by(now, channel, zone)

    assert by.astimezone(ZoneInfo(zone)).hour == 18
    assert by > now
