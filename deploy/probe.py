"""The synthetic referral: every few minutes one is submitted, answered by matching, withdrawn.

`python -m deploy.probe` is kept by the supervisor. Each walk is a process of its own
(`--once`), so that the one that only waits and tells stays small.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter, Gauge

from deploy.machine.run_folder import RunFolder, probe_interval, read_json, write_json
from services.chassis.hosting.watch import serve_watch
from services.chassis.settings import Address

SECONDS = Gauge("kindred_probe_seconds", "How long the last answered synthetic referral took.")
AGE = Gauge(
    "kindred_probe_last_success_age_seconds",
    "Since the last synthetic referral that was answered; before the first, since the start.",
)
INTERVAL = Gauge("kindred_probe_interval_seconds", "The time between synthetic referrals.")
PROBES = Counter(
    "kindred_probes_total", "Synthetic referrals by outcome: answered, failed.", ["outcome"]
)
_LONGEST_SECONDS = 90.0


class Probe:
    """Starts a walk at each interval, the first one after the first; tells how the last went."""

    def __init__(self, run: RunFolder, interval: float, stopping: threading.Event) -> None:
        self.run = run
        self.interval = interval
        self.stopping = stopping
        self.succeeded = time.monotonic()
        INTERVAL.set(interval)
        AGE.set_function(lambda: time.monotonic() - self.succeeded)

    def serve(self) -> None:
        while self._wait():
            told = self._walk()
            if self.stopping.is_set():
                return
            PROBES.labels(told["outcome"]).inc()
            if told["outcome"] == "answered":
                self.succeeded = time.monotonic()
                SECONDS.set(told["seconds"])
            write_json(self.run.path / "probe.json", told)

    def _wait(self) -> bool:
        """In steps: a signal that comes just before a wait is not noticed until it is over."""
        until = time.monotonic() + self.interval
        while not self.stopping.is_set() and (left := until - time.monotonic()) > 0:
            self.stopping.wait(min(left, 0.5))
        return not self.stopping.is_set()

    def _walk(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "deploy.probe", "--once"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as walk:
            deadline = time.monotonic() + _LONGEST_SECONDS
            while walk.poll() is None and time.monotonic() < deadline:
                if self.stopping.wait(0.1):
                    break
            walk.kill()
            output = walk.stdout.read() if walk.stdout else ""
        told = {"outcome": "failed", "step": "start", "seconds": 0.0}
        with suppress(json.JSONDecodeError):
            told = json.loads(output)
        return {**told, "at": datetime.now(UTC).isoformat(timespec="seconds")}


def how_it_went(run: RunFolder) -> str | None:
    """One line for `kindred status`; nothing before the first walk."""
    told = read_json(run.path / "probe.json")
    if not told:
        return None
    how = f"answered in {told['seconds']:.1f} s" if told["outcome"] == "answered" else "failed"
    where = f" at the step {told['step']}" if told["outcome"] == "failed" else ""
    return f"synthetic referral {how}{where}, {told['at']}"


def _once() -> None:
    from deploy.probe_walk import walk  # noqa: PLC0415  brings much into memory

    print(json.dumps(walk(RunFolder.of_environment())))


def _end(*_: object) -> None:
    """At once, and whatever the main thread is at: a walk under way ends with our group."""
    os._exit(0)


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    serve_watch(Address.parse(os.environ["KINDRED_INTERNAL"]), ())
    Probe(RunFolder.of_environment(), probe_interval(), threading.Event()).serve()


if __name__ == "__main__":
    _once() if "--once" in sys.argv else main()
