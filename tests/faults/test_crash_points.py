"""A worker killed between statement and commit, commit and ack, publishing and confirm and move."""

from tests.chaos import crash_points
from tests.chaos.crash_points import AFTER_COMMIT, AFTER_CONFIRM, AFTER_PUBLISH, IN_TRANSACTION
from tests.faults.post_office import OWN, PostOffice


def test_a_worker_killed_at_any_point_leaves_one_effect_and_at_least_one_publishing(
    office: PostOffice,
) -> None:
    worker = office.start()
    for point in (IN_TRANSACTION, AFTER_COMMIT, AFTER_PUBLISH, AFTER_CONFIRM):
        office.points.arm("matching", point)
        office.send(1, 2)

        assert worker.wait(20) == crash_points.STATUS
        assert office.points.was_hit("matching", point)
        worker = office.start()
        office.wait_until_all_is_done()
        office.assert_each_had_one_effect_and_was_told()

    assert office.count(OWN) > office.parcels  # published again after the kill before the move
