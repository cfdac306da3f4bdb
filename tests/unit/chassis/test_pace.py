"""The size of a consumer's batches follows how long they take."""

from services.chassis.pace import FIRST, QUICK_SECONDS, SLOW_SECONDS, Pace


def test_quick_full_batches_grow_up_to_the_most() -> None:
    pace = Pace(most=FIRST * 3)
    sizes = []
    for _ in range(3):
        pace.note(pace.size, QUICK_SECONDS / 2)
        sizes.append(pace.size)

    assert sizes == [FIRST * 2, FIRST * 3, FIRST * 3]


def test_a_batch_that_was_not_full_changes_nothing() -> None:
    pace = Pace(most=FIRST * 4)
    pace.note(FIRST - 1, 0)

    assert pace.size == FIRST


def test_slow_batches_shrink_to_a_single_event_and_not_below() -> None:
    pace = Pace(most=4)
    sizes = []
    for _ in range(3):
        pace.note(pace.size, SLOW_SECONDS * 2)
        sizes.append(pace.size)

    assert sizes == [2, 1, 1]
