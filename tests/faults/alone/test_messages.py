"""What comes over the broker is poison, comes twice, out of order, or is slow to handle."""

import json
import pickle
import random
import threading
from collections import Counter
from dataclasses import replace
from uuid import uuid4

import pytest
from kombu.connection import Connection

from services.chassis.queue_loop import SUSPECT_DELIVERIES
from tests.chaos.crash_points import STATUS
from tests.faults.parcel_service import ENDS_THE_PROCESS, HEARTBEAT, IS_SLOW, RAISES
from tests.faults.post_office import FOLLOWED, PostOffice, end, parcels
from tests.support import wait_for

MARK = "Zebedee"


def test_poison_is_parked_and_in_no_log_while_others_flow(office: PostOffice) -> None:
    (plain,) = parcels(uuid4(), 1)
    nested = b'{"number": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    poison = [
        replace(plain, body=b'{"number": "%s' % MARK.encode()),
        replace(plain, body=MARK.encode() + b"\xff\xfe"),
        replace(plain, body=b'{"number": "%s"}' % (MARK.encode() * 1_500_000)),
        replace(plain, body=nested),
        replace(plain, body=pickle.dumps(MARK), content_type="application/x-python-serialize"),
        replace(plain, content_type="text/plain"),
        replace(plain, headers={}),
        replace(plain, headers={**plain.headers, "cloudEvents:id": MARK}),
    ]

    for one in poison:
        office.hand_over([one])
        office.send(1, 2)

    office.settle()
    assert Counter(state for state, _, _ in office.deferred()) == {"parked": len(poison)}
    assert all(reason.startswith("unreadable: ") for _, reason, _ in office.deferred())
    assert MARK not in office.log_since


def test_a_version_that_nobody_here_knows_is_kept_and_not_dropped(office: PostOffice) -> None:
    subject = uuid4()
    (newer,) = parcels(subject, 1)
    office.hand_over(
        [replace(newer, headers={**newer.headers, "cloudEvents:type": "parcel.sent.v2"})]
    )

    wait_for(office.deferred)

    office.send(1, 2)
    wait_for(lambda: not office.wanted - office.notes())
    assert len(office.deferred()) == 1
    assert not office.notes()[subject]


def test_a_handler_that_raises_holds_its_own_aggregate_only(office: PostOffice) -> None:
    held = uuid4()
    office.hand_over(parcels(held, RAISES, 1))

    office.send(1, 2)

    wait_for(lambda: len(office.notes()) == 1)
    wait_for(lambda: len(office.deferred()) == 2)
    (first, second) = office.deferred()
    assert "RuntimeError" in first[1]
    assert second[1].startswith("behind")
    assert not office.notes()[held]


def test_a_handler_that_ends_its_process_ends_it_a_few_times_and_then_apart_from_the_queue(
    office: PostOffice,
) -> None:
    office.hand_over(parcels(uuid4(), ENDS_THE_PROCESS))
    office.send(1, 2)

    deaths = set()

    def the_others_are_noted() -> bool:
        if office.worker.poll() == STATUS:
            deaths.add(office.worker.pid)
            office.worker = office.launch("worker")
        return not office.wanted - office.notes()

    wait_for(the_others_are_noted, seconds=90)
    assert len(deaths) >= SUSPECT_DELIVERIES
    assert [state for state, _, _ in office.deferred()] == ["waiting"]
    end(office.worker)
    office.clear()


def test_what_is_published_up_to_five_times_over_two_channels_has_one_effect(
    office: PostOffice,
) -> None:
    dice = random.Random(7)
    subjects = [uuid4() for _ in range(15)]
    copies = {subject: dice.randint(2, 5) for subject in subjects}

    def publish(share: int) -> None:
        for subject, count in copies.items():
            for _ in range(count // 2 + (count % 2) * share):
                office.hand_over(same[subject])

    same = {subject: parcels(subject, 1, 2, 3) for subject in subjects}
    threads = [threading.Thread(target=publish, args=(share,)) for share in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for subject in subjects:
        office.wanted[subject] = 3

    office.settle()


def test_events_that_come_in_any_order_are_handled_in_theirs(office: PostOffice) -> None:
    subject = uuid4()
    shuffled = parcels(subject, *range(21, 29))
    random.Random(3).shuffle(shuffled)

    office.hand_over(shuffled)
    office.wanted[subject] = len(shuffled)

    office.settle()
    query = "SELECT body FROM outbox_sent ORDER BY sequence"
    numbers = [json.loads(bytes(row["body"]))["number"] for row in office.scene.rows(query)]
    assert numbers == [*range(21, 29)]


def test_a_consumer_too_slow_for_its_heartbeats_does_everything_once(office: PostOffice) -> None:
    end(office.worker)
    office.worker = office.start("worker", **{HEARTBEAT: "1"})
    for _ in range(15):
        office.send(IS_SLOW)
    office.send(1)

    office.settle()

    end(office.worker)


@pytest.fixture(autouse=True)
def _nothing_is_left(office: PostOffice) -> None:
    with Connection(office.admin_url) as connection:
        assert connection.channel().queue_declare(FOLLOWED, passive=True).message_count == 0
