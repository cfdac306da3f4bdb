"""A loop that is stuck ends its process; one that waits, works or was paused does not."""

import threading
import time
from collections.abc import Iterator

import pytest

from services.chassis.hosting.threads import StopFlag, Thread
from services.chassis.hosting.watchdog import Watchdog
from services.chassis.pulse import beat

PATIENCE = 30.0


class Watched:
    """One loop and a watchdog whose clock the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended: list[int] = []
        self.later = 0.0
        self.flag = StopFlag()
        self.hold = threading.Event()
        self.began = threading.Event()
        self.thread = Thread("relay", self.body, self.flag)
        self.watchdog = Watchdog([self.thread], self.flag, PATIENCE, lambda: self.ended.append(1))
        clock = time.monotonic
        monkeypatch.setattr(
            "services.chassis.hosting.watchdog.time.monotonic", lambda: clock() + self.later
        )
        self.thread.start()
        assert self.began.wait(5)

    def body(self) -> None:
        self.began.set()
        self.hold.wait()

    def pass_time(self, seconds: int) -> None:
        """The watchdog looks every second meanwhile."""
        for _ in range(seconds):
            self.later += 1
            self.watchdog.look()

    def stop(self) -> None:
        self.flag.set()
        self.hold.set()
        self.thread.thread.join(5)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched(monkeypatch)
    yield watched
    watched.stop()


def test_a_loop_that_is_stuck_ends_the_process(watched: Watched) -> None:
    watched.pass_time(29)
    assert watched.ended == []

    watched.pass_time(3)

    assert watched.ended


def test_a_loop_that_goes_on_ends_nothing(watched: Watched) -> None:
    for _ in range(4):
        watched.pass_time(20)
        watched.thread.pulse.beat_at = time.monotonic()

    assert watched.ended == []


def test_a_process_that_was_stopped_has_its_whole_patience_again(watched: Watched) -> None:
    watched.later += 3600
    watched.watchdog.look()

    watched.pass_time(29)

    assert watched.ended == []


def test_a_loop_with_more_patience_is_given_it(watched: Watched) -> None:
    watched.thread.patience = 60.0

    watched.pass_time(59)

    assert watched.ended == []


def seconds_since_a_beat_of(act: str) -> float:
    flag = StopFlag()
    began = threading.Event()
    go_on = threading.Event()
    acts = {"asks": flag.is_set, "waits": lambda: flag.wait(0.01), "works": beat}

    def body() -> None:
        began.set()
        go_on.wait(5)
        acts[act]()
        threading.Event().wait(0.1)

    thread = Thread("loop", body, flag)
    thread.start()
    assert began.wait(5)
    thread.pulse.beat_at -= 1000
    go_on.set()
    end = time.monotonic() + 5
    while thread.pulse.silence() > 999 and time.monotonic() < end:
        time.sleep(0.01)
    silence = thread.pulse.silence()
    flag.set()
    thread.thread.join(5)
    return silence


@pytest.mark.parametrize("act", ["asks", "waits", "works"])
def test_whatever_a_loop_is_at_shows_that_it_goes_on(act: str) -> None:
    assert seconds_since_a_beat_of(act) < 900


def test_only_the_loop_itself_shows_that_it_goes_on(watched: Watched) -> None:
    watched.thread.pulse.beat_at -= 1000

    beat()
    watched.flag.is_set()

    assert watched.thread.pulse.silence() > 999
