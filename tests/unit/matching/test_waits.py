"""How long somebody may wait, told from those who got somebody and those who have nobody yet."""

import pytest

from services.matching.domain.waits import LEAST, Wait, estimate


def test_where_everybody_got_somebody_it_is_the_plain_quarters() -> None:
    assert estimate([(days, True) for days in range(1, 101)]) == Wait(100, 25, 50, 75)


def test_those_who_still_wait_make_it_longer_and_not_shorter() -> None:
    served = [(days, True) for days in range(1, 21)]
    waiting = [(15, False)] * 20

    alone, together = estimate(served), estimate(served + waiting)

    assert alone == Wait(20, 5, 10, 15)
    assert together == Wait(20, 10, 16, 18)


def test_what_most_still_wait_for_is_not_told() -> None:
    served = [(3, True)] * LEAST

    assert estimate(served + [(90, False)] * 30) == Wait(LEAST, 3, None, None)
    assert estimate(served + [(90, False)] * 60) == Wait(LEAST, None, None, None)


def test_a_hand_worked_example_of_kaplan_and_meier_comes_out() -> None:
    # Shares without somebody: after 6 days 18/21, 7: 17/21 x 16/17 ... as in Freireich's trial.
    treated = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    waits = [(days, True) for days in treated] + [(days, False) for days in censored]

    # One more served on the last day, so that enough are: it changes no quarter before it.
    assert estimate([*waits, (40, True)]) == Wait(10, 13, 23, 40)


@pytest.mark.parametrize("served", [0, 1, LEAST - 1])
def test_of_too_few_nothing_is_told(served: int) -> None:
    assert estimate([(5, True)] * served + [(9, False)] * 100) is None
