"""Offsets by the pinned zone data."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.domain.spans import Span
from services.scheduling.domain.zones import local, names, offsets, zone

MOMENTS = st.integers(0, 6 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
ZONES = st.sampled_from(sorted(names()))


def test_clocks_are_put_forward_at_the_second_that_the_law_says() -> None:
    day = Span(datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 3, 15, tzinfo=UTC))
    before, after = offsets("America/Chicago", day)

    assert before.span.ends_at == after.span.starts_at == datetime(2027, 3, 14, 8, tzinfo=UTC)
    assert (before.ahead, after.ahead) == (timedelta(hours=-6), timedelta(hours=-5))


def test_the_zone_data_is_the_package_and_not_the_systems() -> None:
    december = datetime(2026, 12, 1, tzinfo=UTC)

    # British Columbia keeps summer time from 2026 on, which older data does not know.
    assert december.astimezone(zone("America/Vancouver")).utcoffset() == timedelta(hours=-7)


@pytest.mark.parametrize("name", ["America/Atlantis", "", "../etc/passwd", "America", "localtime"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a time zone"):
        zone(name)


@given(ZONES, MOMENTS, st.integers(1, 60 * 24 * 40))
def test_offsets_cover_a_span_without_gaps(name: str, start: datetime, minutes: int) -> None:
    span = Span(start, start + timedelta(minutes=minutes))
    pieces = offsets(name, span)

    assert pieces[0].span.starts_at == span.starts_at
    assert pieces[-1].span.ends_at == span.ends_at
    for a, b in pairwise(pieces):
        assert a.span.ends_at == b.span.starts_at
        assert a.ahead != b.ahead


@given(ZONES, MOMENTS, st.integers(0, 60 * 24 * 40))
def test_an_offset_is_what_the_clocks_show(name: str, start: datetime, minutes: int) -> None:
    moment = start + timedelta(minutes=minutes)
    pieces = offsets(name, Span(start, start + timedelta(days=41)))
    [ahead] = [p.ahead for p in pieces if p.span.starts_at <= moment < p.span.ends_at]

    assert local(moment, name) == (moment + ahead).replace(tzinfo=None)
