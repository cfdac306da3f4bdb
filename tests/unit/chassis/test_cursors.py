"""Where the next page begins, and what is no such place."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.cursors import PageSchema, decode, encode, page_of
from services.chassis.problems import Invalid


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1),
)
def test_a_cursor_gives_back_what_it_was_made_from(at: datetime, key: UUID, number: int) -> None:
    assert decode(encode(at, key, number), datetime, UUID, int) == (at, key, number)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_as_a_field(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decode(text, datetime, UUID)

    assert list(refusal.value.errors or {}) == ["cursor"]


def test_the_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Invalid):
        decode(encode(uuid4()), datetime, UUID)
    with pytest.raises(Invalid):
        decode(encode(uuid4(), uuid4()), datetime, UUID)


def test_a_time_comes_back_in_utc() -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=timezone(timedelta(hours=-8)))

    (back,) = decode(encode(at), datetime)

    assert back == at
    assert back.tzinfo is UTC


def test_a_page_has_a_next_one_only_if_more_was_read() -> None:
    full, cursor = page_of([1, 2, 3], 2, lambda number: (number,))
    last, none = page_of([3], 2, lambda number: (number,))

    assert (full, decode(cursor or "", int)) == ([1, 2], (2,))
    assert (last, none) == ([3], None)


def test_a_page_has_at_most_two_hundred_rows() -> None:
    assert PageSchema().load({}) == {"cursor": None, "limit": 50}
    assert PageSchema().validate({"limit": "200"}) == {}
    assert "limit" in PageSchema().validate({"limit": "201"})
    assert "limit" in PageSchema().validate({"limit": "0"})
