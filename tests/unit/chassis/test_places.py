"""Postal codes and distances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.places import kilometres, locate

points = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize("code", ["74047", "74047-1234", " 74047 "])
def test_a_code_lies_where_its_first_five_digits_lie(code: str) -> None:
    assert locate(code) == pytest.approx((35.8896, -96.0887), abs=1e-4)


@pytest.mark.parametrize("code", ["00501", "99950"])
def test_the_first_and_the_last_code_are_found(code: str) -> None:
    assert locate(code) is not None


@pytest.mark.parametrize(
    "code", ["", "00000", "99999", "7404", "740471", "74047-", "74047-12", "x4047", "٧٤٠٤٧"]
)
def test_what_is_no_known_code_lies_nowhere(code: str) -> None:
    assert locate(code) is None


def test_a_known_distance_comes_out() -> None:
    tulsa, oklahoma_city = (36.154, -95.993), (35.468, -97.516)

    assert kilometres(tulsa, oklahoma_city) == pytest.approx(157, abs=2)


@given(a=points, b=points)
def test_a_distance_is_the_same_both_ways_and_never_negative(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    assert kilometres(a, b) == kilometres(b, a) >= 0
    assert kilometres(a, a) == 0
