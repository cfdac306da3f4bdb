"""Processes of our own: started in a group of their own, known by pid and start time, ended."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUN_VARIABLE = "KINDRED_RUN"
_POLL_SECONDS = 0.05
_ASK_AGAIN_SECONDS = 1.0
_PR_SET_CHILD_SUBREAPER = 36


class DidNotStart(Exception):
    """A process ended, or was silent for too long; the message names its log."""


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """Who has this pid now; None for nobody, or for one that only waits to be reaped."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command's name in brackets may itself hold spaces and brackets.
        fields = stat.rpartition(")")[2].split()
        state, started = fields[0], int(fields[19])
        return None if state in "ZX" else cls(pid, started)

    @property
    def is_alive(self) -> bool:
        return Identity.of(self.pid) == self

    def send(self, number: int) -> None:
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(frozen=True, kw_only=True)
class Program:
    """How one process is started and stopped."""

    name: str
    command: Sequence[str | Path]
    log: Path
    environment: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)
    live_port: int | None = None  # answers /health/live as long as the process is well
    folder: Path | None = None
    stop_signal: int = signal.SIGTERM
    grace_seconds: float = 15.0


class Process:
    """One running program and, as its group, whatever it started itself."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        with program.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [str(part) for part in program.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=program.folder,
                env=dict(environment),
                start_new_session=True,
            )
        self.began = time.monotonic()
        self.identity = Identity.of(self.popen.pid) or Identity(self.popen.pid, 0)

    def has_ended(self) -> bool:
        """Tell whether it has ended; what it left behind in its group is then ended as well.

        The dead process is reaped last: until then no other can have its number.
        """
        if self.popen.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self.popen.pid, options) is None:
            return False
        self._end_group()
        return True

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self.identity.send(self.program.stop_signal)

    def end(self) -> None:
        """Kill what is still there of it."""
        if not self.has_ended():
            self._end_group()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        with contextlib.suppress(ChildProcessError):  # those that came to us as orphans
            while True:
                os.waitid(os.P_PGID, self.popen.pid, os.WEXITED)


def adopt_orphans() -> None:
    """Become the parent of whatever our processes leave behind, so that it can be reaped.

    PostgreSQL takes a dead server that nobody reaped for a living one, and does not start.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(ours: Container[int]) -> None:
    """Reap what died and was never started by us, up to the first of our own."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, options)) and dead.si_pid not in ours:
            os.waitpid(dead.si_pid, 0)


def stop_together(processes: Iterable[Process]) -> None:
    """Ask all to stop, again every second; kill what is still there after its grace.

    A process that had only just begun may not have been listening the first time.
    """
    waiting = list(processes)
    began = asked = time.monotonic()
    for process in waiting:
        process.ask_to_stop()
    while waiting := [process for process in waiting if not process.has_ended()]:
        time.sleep(_POLL_SECONDS)
        now = time.monotonic()
        for process in waiting:
            if now - began > process.program.grace_seconds:
                process.end()
            elif now - asked > _ASK_AGAIN_SECONDS:
                process.ask_to_stop()
        asked = now if now - asked > _ASK_AGAIN_SECONDS else asked


def wait_until_ready(process: Process, is_ready: Callable[[], bool], seconds: float) -> None:
    """Wait for a process's own word that it serves."""
    deadline = time.monotonic() + seconds
    while not is_ready():
        if process.has_ended() or time.monotonic() > deadline:
            process.end()
            raise DidNotStart(f"{process.program.name} did not start: see {process.program.log}")
        time.sleep(_POLL_SECONDS)


def end_stranger(identity: Identity, stop_signal: int, grace_seconds: float, run: Path) -> None:
    """End a process that another run in the same folder started, and what is left of its group."""
    deadline = time.monotonic() + grace_seconds
    ask_at = time.monotonic()
    while identity.is_alive and time.monotonic() < deadline:
        if time.monotonic() >= ask_at:
            identity.send(stop_signal)
            ask_at += _ASK_AGAIN_SECONDS
        time.sleep(_POLL_SECONDS)
    rest = members(identity, run)
    for member in rest:
        member.send(signal.SIGKILL)
    while any(member.is_alive for member in rest):
        time.sleep(_POLL_SECONDS)


def descendants(ancestor: int) -> list[Identity]:
    """Every living process that came from one, also those that began a session of their own."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found, generation = [], {ancestor}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        found += [identity for pid in generation if (identity := Identity.of(pid)) is not None]
    return found


def members(leader: Identity, run: Path) -> list[Identity]:
    """Who is left of a session of ours, its leader among them."""
    now = Identity.of(leader.pid)
    if now is not None and now != leader:
        return []  # the number has gone to a stranger
    return [
        identity
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_of(entry, leader.pid, run)
        if (identity := Identity.of(int(entry.name))) is not None
    ]


def _is_of(entry: Path, session: int, run: Path) -> bool:
    """By its environment, or by where it works: nginx overwrites its environment."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        if int(fields[3]) != session:
            return False
        mark = f"{RUN_VARIABLE}={run}".encode()
        if mark in (entry / "environ").read_bytes().split(b"\0"):
            return True
        return (entry / "cwd").readlink().is_relative_to(run)
    except OSError:
        return False
