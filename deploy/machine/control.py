"""Starting and stopping the system from outside: what `kindred up`, `down` and `clean` do."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.machine.environment import python_environment
from deploy.machine.ledger import Ledger
from deploy.machine.liveness import probe_seconds
from deploy.machine.processes import Identity, end_stranger
from deploy.machine.run_folder import (
    REPOSITORY,
    CannotStart,
    RunFolder,
    brokers,
    gateway_port,
    has_standby,
    probe_interval,
    read_json,
    replicas,
    write_json,
)
from deploy.machine.supervisor import FAILED, READY

_POLL_SECONDS = 0.1
_STOP_SECONDS = 90.0
_ANSWER_SECONDS = 90.0
_SUPERVISOR = "deploy.machine.supervisor"


@dataclass(frozen=True)
class Supervised:
    """The supervisor's own word on how it is."""

    identity: Identity
    state: str
    url: str
    message: str

    @classmethod
    def of(cls, run: RunFolder) -> "Supervised | None":
        told = read_json(run.state)
        if not told:
            return None
        identity = Identity(told["pid"], told["started"])
        return cls(identity, told["state"], told["url"], told["message"])


def running(run: RunFolder) -> Supervised | None:
    supervised = Supervised.of(run)
    return supervised if supervised and supervised.identity.is_alive else None


def up(run: RunFolder, supervisor: str = _SUPERVISOR) -> tuple[str, bool]:
    """Make sure that the system runs; return its address, and whether this call started it.

    `supervisor` is the module that is run; another one may have another plan.
    """
    # A wrong setting stops here, with one line.
    gateway_port(), replicas(), brokers(), has_standby(), probe_seconds(), probe_interval()
    if not Path("/proc/self/stat").exists():
        raise CannotStart("/proc is not mounted; by it we know our own processes.")
    if running(run) is not None:
        return _await_ready(run, None), False
    run.create()
    with run.log("supervisor").open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", supervisor],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=python_environment({"KINDRED_RUN": str(run.path)}),
            start_new_session=True,
        )
    return _await_ready(run, started), True


def _await_ready(run: RunFolder, started: "subprocess.Popen[bytes] | None") -> str:
    while True:
        told = Supervised.of(run)
        ours = started is not None and told is not None and told.identity.pid == started.pid
        if told is not None and (ours or told.identity.is_alive):
            if told.state == READY and told.identity.is_alive:
                return told.url
            if told.state == FAILED:
                raise CannotStart(told.message)
        ended = started is None or started.poll() is not None
        if ended and running(run) is None:
            told = Supervised.of(run)
            if told is not None and told.state == FAILED:
                raise CannotStart(told.message)
            raise CannotStart(f"The supervisor ended; see {run.log('supervisor')}")
        time.sleep(_POLL_SECONDS)


def down(run: RunFolder) -> bool:
    """Stop everything, also what a killed supervisor left; tell whether there was something."""
    supervised = running(run)
    if supervised is not None:
        end_stranger(supervised.identity, signal.SIGTERM, _STOP_SECONDS, run.path)
    left = Ledger(run.ports).end_leftovers()
    return bool(supervised or left)


def clean(run: RunFolder) -> None:
    """Stop everything and remove the data as well."""
    down(run)
    if run.state.exists() and run.path not in (REPOSITORY, *REPOSITORY.parents):
        shutil.rmtree(run.path)


def wait_for_end(run: RunFolder, is_enough: Callable[[], bool]) -> None:
    """Stay until the supervisor is gone, or it is enough."""
    while running(run) is not None and not is_enough():
        time.sleep(_POLL_SECONDS)


def ask_about_databases(run: RunFolder, asked: str) -> str:
    """Have the supervisor do something to primary and standby, and return what it says."""
    if not run.database_roles.exists() or running(run) is None:
        raise CannotStart("No system with a standby runs: KINDRED_STANDBY=1 make up starts one.")
    write_json(run.database_request, {"asked": asked})
    until = time.monotonic() + _ANSWER_SECONDS
    while (told := read_json(run.database_request).get("told")) is None:
        if time.monotonic() > until or running(run) is None:
            raise CannotStart(f"The supervisor does not answer; see {run.log('supervisor')}")
        time.sleep(_POLL_SECONDS)
    if told.startswith("declined: "):
        raise CannotStart(told.removeprefix("declined: "))
    return str(told)


def process_table(run: RunFolder) -> list[tuple[str, int, bool, str]]:
    """Name, pid, whether it is alive, and its ports, of every process written down."""
    return [
        (
            name,
            entry["pid"],
            Identity(entry["pid"], entry["started"]).is_alive,
            " ".join(f"{kind}={port}" for kind, port in entry["ports"].items()),
        )
        for name, entry in read_json(run.ports).items()
    ]
