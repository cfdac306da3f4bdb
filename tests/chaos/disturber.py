"""Carries out a plan of faults, lane beside lane, and writes each down with its time and target."""

import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import amqp
import psycopg

from tests.chaos.fault import Missed, Scene
from tests.chaos.schedule import Planned

# What a fault may meet when another lane has just taken away what it needs.
IN_VAIN = (
    Missed,
    KeyError,
    OSError,
    psycopg.Error,
    amqp.AMQPError,
    subprocess.SubprocessError,
)
_TRIES = 3
_TRY_AGAIN_SECONDS = 1.0
Say = Callable[[str], None]


class Disturber:
    def __init__(self, scene: Scene, say: Say) -> None:
        self.scene = scene
        self.say = say
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._began = 0.0

    def run(self, lanes: Mapping[str, Sequence[Planned]], seconds: float) -> None:
        """Until the time is over; a fault that has begun is ended in any case."""
        self._began = time.monotonic()
        threads = [
            threading.Thread(target=self._run_lane, args=(planned, seconds), name=lane)
            for lane, planned in lanes.items()
        ]
        for thread in threads:
            thread.start()
        try:
            self.stopping.wait(seconds)
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()

    def _run_lane(self, planned: Sequence[Planned], seconds: float) -> None:
        for one in planned:
            if self.stopping.wait(max(one.at - self._elapsed, 0)) or self._elapsed > seconds:
                return
            for _ in range(_TRIES):
                if self.commit(one) or self.stopping.wait(_TRY_AGAIN_SECONDS):
                    break

    def commit(self, planned: Planned) -> bool:
        """One fault from beginning to end; tell whether it met something to disturb."""
        kind, began = planned.fault.kind, self._elapsed
        try:
            with planned.fault.act(self.scene, random.Random(planned.seed)) as target:
                self.stopping.wait(planned.seconds)
        except IN_VAIN as error:
            self.missed[kind] += 1
            self.say(f"{began:6.1f} s  {kind}: in vain, {type(error).__name__} {error}")
            return False
        self.done[kind] += 1
        self.say(f"{began:6.1f} s  {kind}: {target}, until {self._elapsed:.1f} s")
        return True

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began
