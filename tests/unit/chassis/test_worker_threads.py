"""A worker's loops: begun anew for as long as it takes, and stopped in time."""

import threading
import time
from collections.abc import Callable
from functools import partial

from services.chassis.hosting.threads import PROVEN_SECONDS, StopFlag, Thread
from services.chassis.hosting.watch import state_of


def hold_until(hold: threading.Event) -> None:
    hold.wait()


def seen(check: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end and not check():
        time.sleep(0.01)
    return check()


def test_a_loop_survives_a_broker_that_is_away_for_hours() -> None:
    tried = threading.Event()

    def body() -> None:
        tried.set()
        raise ConnectionError

    thread = Thread("relay", body, StopFlag(), faults=5000)
    thread.start()

    assert tried.wait(5)
    assert seen(lambda: thread.last_fault == "ConnectionError")
    time.sleep(0.1)
    assert thread.thread.is_alive()
    assert state_of([thread]) == {"relay": "ConnectionError"}
    thread.stop_flag.set()
    thread.thread.join(5)


def test_a_loop_that_runs_again_is_well_again() -> None:
    flag = StopFlag()
    begun: list[int] = []

    def body() -> None:
        begun.append(1)
        if len(begun) == 1:
            raise ConnectionError
        flag.wait()

    thread = Thread("relay", body, flag)
    thread.start()

    assert seen(lambda: len(begun) == 2)
    assert state_of([thread]) == {"relay": "ConnectionError"}
    thread.began -= PROVEN_SECONDS
    assert state_of([thread]) == {}
    flag.set()
    thread.thread.join(5)


def test_several_loops_that_hang_share_the_time_that_there_is_to_stop() -> None:
    hold, flag = threading.Event(), StopFlag()
    threads = [Thread(f"loop {number}", partial(hold_until, hold), flag) for number in range(3)]
    for thread in threads:
        thread.start()

    flag.set()
    flag.deadline = time.monotonic() + 0.2
    began = time.monotonic()
    for thread in threads:
        thread.stop()

    assert time.monotonic() - began < 1
    hold.set()
