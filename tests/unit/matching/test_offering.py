"""Who is lined up for an offer, and when that asks for a reason."""

from uuid import UUID

import pytest

from services.matching.domain.offering import LineUp, NoPlaceFree, line_up

A, B, C, D = (UUID(int=number) for number in (1, 2, 3, 4))
RANKED = [A, B, C, D]


def test_the_top_is_offered_with_two_alternates() -> None:
    assert line_up(RANKED, RANKED) == LineUp(A, (B, C), follows_the_ranking=True)


def test_who_has_no_place_any_more_is_passed_over_without_a_reason() -> None:
    assert line_up(RANKED, [B, D]) == LineUp(B, (D,), follows_the_ranking=True)


def test_fewer_alternates_in_the_same_order_need_no_reason() -> None:
    assert line_up(RANKED, RANKED, alternates=[]).follows_the_ranking
    assert line_up(RANKED, RANKED, A, [B]).follows_the_ranking


def test_another_first_or_another_order_needs_one() -> None:
    assert line_up(RANKED, RANKED, B) == LineUp(B, (A, C), follows_the_ranking=False)
    assert not line_up(RANKED, RANKED, A, [C, B]).follows_the_ranking


def test_without_a_free_place_there_is_nobody_to_offer() -> None:
    with pytest.raises(NoPlaceFree):
        line_up(RANKED, [])
