"""A kill between statement and commit, commit and ack, publishing, confirm and move, and answer."""

from uuid import uuid4

import pytest

from tests.chaos import crash_points
from tests.chaos.crash_points import (
    AFTER_COMMIT,
    AFTER_CONFIRM,
    AFTER_PUBLISH,
    BEFORE_ANSWER,
    IN_TRANSACTION,
)
from tests.faults.post_office import PostOffice


@pytest.mark.parametrize("point", [IN_TRANSACTION, AFTER_COMMIT, AFTER_PUBLISH, AFTER_CONFIRM])
def test_a_worker_killed_at_a_point_leaves_one_effect_and_at_least_one_publishing(
    office: PostOffice, point: str
) -> None:
    office.points.arm("matching", point)
    office.send(1, 2)

    assert office.worker.wait(20) == crash_points.STATUS
    assert office.points.was_hit("matching", point)
    office.mend()

    office.settle()
    copies = len(office.told) - len({event_id for event_id, _, _ in office.told})
    # What the broker had not confirmed when its sender died it may have kept, or not.
    assert copies or point != AFTER_CONFIRM


@pytest.mark.parametrize("point", [IN_TRANSACTION, BEFORE_ANSWER])
def test_a_command_whose_process_is_killed_has_one_effect_however_often_it_is_asked_again(
    office: PostOffice, point: str
) -> None:
    key, note = str(uuid4()), uuid4()
    office.points.arm("matching", point)

    assert office.command(key=key, note=note) == 0
    assert office.points.was_hit("matching", point)
    assert office.web.wait(10) == crash_points.STATUS
    office.mend()

    assert [office.command(key=key, note=note) for _ in range(2)] == [204, 204]
    office.settle()
