"""A worker's loops as threads: begun anew after a fault, and stopped together."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.chassis import metrics
from services.chassis.log import get_log
from services.chassis.pulse import Pulse, beat

log = get_log(__name__)

# For all loops together; a process has ten seconds to end.
STOP_SECONDS = 7.0
LONGEST_PAUSE_SECONDS = 5.0
# A loop begun anew counts as well again after this long without another fault.
PROVEN_SECONDS = 7.0
# Waits are cut into steps of this length: a loop that waits goes on.
STEP_SECONDS = 1.0


class StopFlag(threading.Event):
    """Set once for all loops, which share the time that there is to end.

    A loop that asks it, or waits for it, shows that it goes on.
    """

    deadline: float | None = None

    def is_set(self) -> bool:
        beat()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        end = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        while not self.is_set() and (left := end - time.monotonic()) > 0:
            super().wait(min(left, STEP_SECONDS))
        return self.is_set()

    def set(self) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + STOP_SECONDS
        super().set()

    def time_left(self) -> float:
        return max((self.deadline or 0.0) - time.monotonic(), 0.0)


@dataclass
class Thread:
    """One loop; begun anew with growing pauses when it raises, until told to stop.

    `patience` is for a loop that may be silent for longer than others before it counts as stuck.
    """

    name: str
    body: Callable[[], None]
    stop_flag: StopFlag
    patience: float = 0.0
    faults: int = 0
    last_fault: str | None = None
    pulse: Pulse = field(init=False, default_factory=Pulse)
    began: float = field(init=False, default=0.0)
    thread: threading.Thread = field(init=False)

    @property
    def fault(self) -> str | None:
        """The last fault, until the loop has run for a while without another."""
        is_proven = time.monotonic() - self.began > PROVEN_SECONDS
        return None if is_proven else self.last_fault

    def start(self) -> None:
        metrics.LOOP_SILENCE.labels(self.name).set_function(self.pulse.silence)
        self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """The first stop ends every loop, so that the joins after it are short."""
        self.stop_flag.set()
        self.thread.join(self.stop_flag.time_left())
        if self.thread.is_alive():
            log.warning("loop_still_running", loop=self.name.replace(" ", "_"))

    def _run(self) -> None:
        self.pulse.begin()
        while not self.stop_flag.is_set():
            self.began = time.monotonic()
            try:
                self.body()
            except Exception as error:  # noqa: BLE001  the loop must go on; the fault is told
                self._note(error, time.monotonic() - self.began)
                self.began = time.monotonic()
                # The exponent is bounded: a float overflows on a broker that is away for hours.
                self.stop_flag.wait(min(0.1 * 2 ** min(self.faults, 10), LONGEST_PAUSE_SECONDS))

    def _note(self, error: Exception, lasted: float) -> None:
        self.faults = 1 if lasted > 10 else self.faults + 1
        self.last_fault = type(error).__name__
        metrics.LOOP_FAULTS.labels(self.name).inc()
        log.error("loop_fault", error=error, loop=self.name.replace(" ", "_"), faults=self.faults)
