"""Ends a worker one of whose loops is stuck, so that whoever keeps the process starts it anew."""

import faulthandler
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.chassis.hosting.threads import StopFlag, Thread
from services.chassis.log import get_log

log = get_log(__name__)

STUCK = 70  # the exit status: sysexits.h's "internal software error"
_LOOK_SECONDS = 1.0
# A look that comes later than this shows that the whole process was stopped meanwhile.
_LATE_SECONDS = 3.0


def end_stuck() -> None:
    """End at once, telling where every thread was: files, lines and functions, no values."""
    faulthandler.dump_traceback()
    os._exit(STUCK)


@dataclass
class Watchdog:
    """Looks at every loop once a second; no other loop can stop it, nor can the broker."""

    threads: Sequence[Thread]
    stop_flag: StopFlag
    seconds: float
    end: Callable[[], object] = end_stuck
    looked_at: float = field(init=False, default_factory=time.monotonic)
    woke_at: float = field(init=False, default=0.0)

    def start(self) -> None:
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def look(self) -> None:
        """End the process if a loop has been silent for longer than its patience."""
        now = time.monotonic()
        if now - self.looked_at > _LATE_SECONDS:
            self.woke_at = now
        self.looked_at = now
        for thread in self.threads:
            silent = now - max(thread.pulse.beat_at, self.woke_at)
            if silent > max(self.seconds, thread.patience):
                self._end(thread, silent)

    def _end(self, thread: Thread, silent: float) -> None:
        name = thread.name.replace(" ", "_")
        log.error("loop_stuck", loop=name, seconds=round(silent, 1))
        self.end()

    def _run(self) -> None:
        while not self.stop_flag.wait(_LOOK_SECONDS):
            self.look()
