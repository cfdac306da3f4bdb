"""Sums of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.domain.spans import Span, merged, shared, without

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def span(start: int, end: int) -> Span:
    return Span(at(start), at(end))


def minutes_of(spans: list[Span]) -> set[int]:
    return {m for m in range(60) if any(s.starts_at <= at(m) < s.ends_at for s in spans)}


SPANS = st.lists(st.builds(span, st.integers(0, 60), st.integers(0, 60)), max_size=6).map(
    lambda spans: [one for one in spans if one.starts_at < one.ends_at]
)


def test_touching_spans_become_one() -> None:
    assert merged([span(10, 20), span(0, 10)]) == [span(0, 20)]


def test_spans_that_touch_do_not_overlap() -> None:
    assert not span(0, 10).overlaps(span(10, 20))


@given(SPANS, SPANS)
def test_shared_time_is_exactly_what_lies_in_both(first: list[Span], second: list[Span]) -> None:
    assert minutes_of(shared(first, second)) == minutes_of(first) & minutes_of(second)


@given(SPANS, SPANS)
def test_removed_time_is_gone_and_nothing_else(spans: list[Span], removed: list[Span]) -> None:
    assert minutes_of(without(spans, removed)) == minutes_of(spans) - minutes_of(removed)


@given(SPANS)
def test_merged_spans_never_touch(spans: list[Span]) -> None:
    result = merged(spans)

    assert all(a.ends_at < b.starts_at for a, b in pairwise(result))
    assert minutes_of(result) == minutes_of(spans)
