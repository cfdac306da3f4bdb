"""A process has no files, memory or processor left, or another time of day; or is there thrice."""

import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.alone.test_broker import CLOSE_ALL
from tests.faults.parcel_service import RAISES
from tests.faults.post_office import PostOffice, Process, end, parcels
from tests.faults.servers import Broker, Database
from tests.support import wait_for

FAKE_CLOCK = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


def test_of_three_workers_one_publishes_and_each_parcel_has_one_note(office: PostOffice) -> None:
    others = [office.launch("worker") for _ in range(2)]
    wait_for(lambda: all(office.is_ready(other) for other in others), seconds=60)
    for _ in range(20):
        office.send(1, 2)
        office.command()

    office.settle()
    for other in others:
        end(other)

    assert len(office.told) == len({event_id for event_id, _, _ in office.told})


@contextmanager
def limited(process: Process, what: int, most: int) -> Iterator[None]:
    before = resource.prlimit(process.pid, what)
    resource.prlimit(process.pid, what, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, what, before)


def test_without_a_file_descriptor_left_nothing_is_lost(
    office: PostOffice, hurt_broker: Broker, hurt_database: Database
) -> None:
    with ExitStack() as stack:
        for process in (office.web, office.worker):
            stack.enter_context(limited(process, resource.RLIMIT_NOFILE, 5))
        hurt_broker.tell(CLOSE_ALL)
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name"
        hurt_database.run(f"{query} LIKE 'matching.%'")
        office.send(1, 2)
        assert office.command() != 204
        wait_for(lambda: "loop_fault" in office.log_since)

    def works_again() -> bool:
        office.mend()  # a web that can take no connection ends, and is started again
        return office.command() == 204

    wait_for(works_again, seconds=60)
    office.settle()


def test_without_memory_left_nothing_is_lost(office: PostOffice) -> None:
    used = int(Path(f"/proc/{office.worker.pid}/statm").read_text().split()[0])
    with limited(office.worker, resource.RLIMIT_AS, used * resource.getpagesize() + 2**20):
        (plain,) = parcels(uuid4(), 1)
        office.hand_over([replace(plain, body=b'{"number": "%s"}' % (b"x" * 30_000_000))])
        office.send(1, 2)
        wait_for(lambda: "MemoryError" in office.log_since or office.worker.poll() is not None)

    office.mend()
    office.settle()


def test_a_starved_worker_does_everything_once(office: PostOffice) -> None:
    """Nine tenths of the time it gets no processor."""
    done = threading.Event()

    def starve() -> None:
        while not done.wait(0.02):
            office.worker.send_signal(signal.SIGSTOP)
            time.sleep(0.18)
            office.worker.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=starve)
    thread.start()
    try:
        for _ in range(20):
            office.send(1, 2)
            office.command()
        wait_for(lambda: not office.wanted - office.notes(), seconds=40)
    finally:
        done.set()
        thread.join()

    office.settle()


@pytest.mark.skipif(not FAKE_CLOCK, reason="needs Debian's package libfaketime")
@pytest.mark.parametrize("offset", ["+1h", "-1d"])
def test_a_worker_with_another_time_of_day_does_everything_once_and_holds_up_no_other(
    office: PostOffice, offset: str
) -> None:
    end(office.worker)
    office.worker = office.start("worker", LD_PRELOAD=str(FAKE_CLOCK[0]), FAKETIME=offset)
    office.send(1, 2)
    office.command()
    office.settle()
    late = uuid4()
    office.hand_over(parcels(late, RAISES, 1))
    wait_for(lambda: len(office.deferred()) == 2)

    end(office.worker)
    office.mend()

    # Whoever comes after it does not wait for an hour to pass before trying again.
    wait_for(lambda: office.deferred()[0][2] >= 2, seconds=15)
    office.clear()
