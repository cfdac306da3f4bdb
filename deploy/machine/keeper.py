"""Keeps programs running: whatever dies starts again, with growing pauses if it dies at once."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from signal import SIGKILL

from deploy.machine.ledger import Ledger
from deploy.machine.processes import (
    Process,
    Program,
    descendants,
    reap_orphans,
    stop_together,
)
from deploy.machine.run_folder import CannotStart

_ENDED_EARLY_SECONDS = 60.0
_KILLED_EARLY_SECONDS = 2.0
_WRONG_SETTINGS = 2  # how a service's process ends that it makes no sense to start again
_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 10.0
_TRIES_TO_START = 5
_POLL_SECONDS = 0.05


class Stopped(Exception):
    """Whoever waited was told to stop."""


def say(text: str) -> None:
    """One line for the supervisor's log."""
    with suppress(OSError):  # on a full disk, whoever says something still has to do it
        print(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}", flush=True)


def pause_after(early_ends: int) -> float:
    """How long to wait before the next start, after so many ends in a row that came early."""
    if early_ends == 0:
        return 0.0
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(early_ends - 1, 10), _LONGEST_PAUSE_SECONDS)


def ended_early(status: int, lasted_seconds: float) -> bool:
    """Tell a process that cannot run from one that ran, and from one that somebody killed."""
    return lasted_seconds < (_KILLED_EARLY_SECONDS if status < 0 else _ENDED_EARLY_SECONDS)


@dataclass
class _Kept:
    program: Program
    tier: int
    process: Process
    early_ends: int = 0
    start_at: float | None = None  # set while it waits to be started again

    @property
    def service(self) -> str:
        return self.program.name.partition(".")[0]


class Keeper:
    def __init__(self, ledger: Ledger, stopping: threading.Event) -> None:
        self.ledger = ledger
        self.stopping = stopping
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def add(self, program: Program, *, tier: int) -> None:
        """Start it and keep it; a higher tier is stopped earlier."""
        with self._lock:
            if self.stopping.is_set():
                raise Stopped
            self._kept[program.name] = _Kept(program, tier, self.ledger.start(program))

    def wait(self, name: str, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready; raise CannotStart when any process keeps ending meanwhile."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.stopping.wait(_POLL_SECONDS):
                raise Stopped
            for kept in list(self._kept.values()):
                if kept.early_ends >= _TRIES_TO_START:
                    raise CannotStart(_why(kept.program, "does not stay up"))
            if time.monotonic() > deadline:
                raise CannotStart(_why(self._kept[name].program, "is not ready"))

    def mend(self, held: Collection[str] = ()) -> None:
        """Start again what has ended and has waited its pause; stop what is of a held service."""
        with self._lock:
            if self.stopping.is_set():
                return
            waiting = [kept for kept in self._kept.values() if kept.service in held]
            self._stop(waiting)
            now = time.monotonic()
            for kept in self._kept.values():
                if kept in waiting:
                    continue
                if kept.start_at is None and kept.process.has_ended():
                    self._note_end(kept, now)
                if kept.start_at is not None and now >= kept.start_at:
                    self._start_again(kept, now)
            reap_orphans({kept.process.popen.pid for kept in self._kept.values()})

    def _start_again(self, kept: _Kept, now: float) -> None:
        try:
            kept.process = self.ledger.start(kept.program)
            kept.start_at = None
        except OSError as error:  # such as a full disk: all the others are still to be kept
            kept.start_at = now + _FIRST_PAUSE_SECONDS
            say(f"{kept.program.name} cannot be started: {type(error).__name__}")

    def with_live_port(self) -> list[Process]:
        """The running processes that can be asked whether they are well."""
        with self._lock:
            running = [kept.process for kept in self._kept.values() if kept.start_at is None]
        return [process for process in running if process.program.live_port is not None]

    def _stop(self, held: Sequence[_Kept]) -> None:
        running = [kept for kept in held if not kept.process.has_ended()]
        if running:
            say(f"held back: {', '.join(kept.program.name for kept in running)}")
            stop_together(kept.process for kept in running)
        for kept in held:
            kept.early_ends, kept.start_at = 0, 0.0  # at once, when it may

    def _note_end(self, kept: _Kept, now: float) -> None:
        lasted = now - kept.process.began
        status = kept.process.popen.returncode
        kept.early_ends = kept.early_ends + 1 if ended_early(status, lasted) else 0
        if status == _WRONG_SETTINGS:
            kept.early_ends = max(kept.early_ends, _TRIES_TO_START)
        pause = pause_after(kept.early_ends)
        kept.start_at = now + pause
        name = kept.program.name
        say(f"{name} ended with {status} after {lasted:.1f} s; starts again in {pause:.2f} s")

    def remove(self, name: str) -> None:
        """End one for good, frozen or not, with every process that came from it."""
        with self._lock:
            kept = self._kept.pop(name, None)
            if kept is not None:
                came = descendants(kept.process.popen.pid)
                kept.process.end()
                for process in came:
                    process.send(SIGKILL)
                while any(process.is_alive for process in came):
                    time.sleep(_POLL_SECONDS)
                self.ledger.forget(name)

    def kill(self, name: str) -> None:
        """End one at once that no longer listens to us; it is started again like any other."""
        self._kept[name].process.identity.send(SIGKILL)

    def stop_all(self) -> None:
        """Stop tier by tier, the highest first; `stopping` is set, so nothing is added."""
        with self._lock:
            for tier in sorted({kept.tier for kept in self._kept.values()}, reverse=True):
                stop_together(kept.process for kept in self._kept.values() if kept.tier == tier)


def _why(program: Program, what: str) -> str:
    """One line with the process's own last words, if it has said any."""
    try:
        lines = program.log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        lines = []
    last = f": {lines[-1].strip()}" if lines else ""
    return f"{program.name} {what}; see {program.log}{last}"
