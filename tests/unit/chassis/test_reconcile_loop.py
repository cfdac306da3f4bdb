"""Which of the events that a queue lacks are lost, and which are merely on their way."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.chassis.reconcile import Lacking
from services.chassis.reconcile_loop import lost

BEGAN = datetime(2027, 3, 9, 15, tzinfo=UTC)


def lacking(number: int, second: int) -> Lacking:
    return Lacking(
        queue="scheduling.match",
        producer="matching",
        event_id=UUID(int=number),
        type="match.confirmed.v1",
        aggregate_id=UUID(int=number),
        epoch=1,
        sequence=1,
        sent_at=BEGAN + timedelta(seconds=second),
    )


def test_an_event_that_lacks_for_the_first_time_is_on_its_way() -> None:
    assert lost([], [lacking(1, 0)]) == []


def test_an_event_is_lost_once_something_sent_later_has_come() -> None:
    first, later = lacking(1, 0), lacking(2, 10)

    assert lost([first, later], [first]) == [first]


def test_a_queue_that_is_still_catching_up_has_lost_nothing() -> None:
    first, later = lacking(1, 0), lacking(2, 10)

    assert lost([first, later], [later]) == []


def test_where_nothing_comes_any_more_nothing_is_on_its_way() -> None:
    assert lost([lacking(1, 0)], [lacking(1, 0), lacking(2, 10)]) == [lacking(1, 0)]
