"""Our own processes: known by pid and start time, stopped with all that they started."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.machine.ledger import Ledger
from deploy.machine.processes import Identity, Process, Program, stop_together
from deploy.machine.run_folder import read_json, write_json

_DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
_PARENT = "import subprocess, sys; subprocess.Popen(['sleep', '60'])"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ports.json")


def sleeper(folder: Path, code: str = "import time", *, grace_seconds: float = 5.0) -> Program:
    ready = folder / "ready"
    code = f"{code}; import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    return Program(
        name="sleeper",
        command=[sys.executable, "-c", code],
        log=folder / "sleeper.log",
        environment=dict(os.environ),
        folder=folder,
        grace_seconds=grace_seconds,
    )


def eventually(look: Callable[[], bool], seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < until
        time.sleep(0.01)


def start(ledger: Ledger, program: Program) -> Process:
    process = ledger.start(program)
    assert program.folder is not None
    eventually((program.folder / "ready").exists)
    return process


def children_of(process: Process) -> list[Identity]:
    pid = process.popen.pid
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [identity for child in text.split() if (identity := Identity.of(int(child)))]


def test_a_process_with_the_same_pid_but_another_start_is_a_stranger() -> None:
    ourselves = Identity.of(os.getpid())
    assert ourselves is not None

    stranger = Identity(ourselves.pid, ourselves.started + 1)

    assert ourselves.is_alive
    assert not stranger.is_alive
    stranger.send(signal.SIGKILL)  # would end this test


def test_a_process_that_ignores_the_request_is_killed_after_its_grace(
    tmp_path: Path, ledger: Ledger
) -> None:
    process = start(ledger, sleeper(tmp_path, _DEAF, grace_seconds=0.3))

    stop_together([process])

    assert process.popen.returncode == -signal.SIGKILL


def test_a_process_that_ends_on_request_is_not_killed(tmp_path: Path, ledger: Ledger) -> None:
    process = start(ledger, sleeper(tmp_path))

    stop_together([process])

    assert process.popen.returncode == -signal.SIGTERM


def test_what_a_killed_process_had_started_ends_with_it(tmp_path: Path, ledger: Ledger) -> None:
    process = start(ledger, sleeper(tmp_path, _PARENT))
    (child,) = children_of(process)

    process.identity.send(signal.SIGKILL)
    eventually(process.has_ended)

    eventually(lambda: not child.is_alive)


def test_every_process_is_written_down_with_its_ports(tmp_path: Path, ledger: Ledger) -> None:
    process = start(ledger, sleeper(tmp_path))

    entry = read_json(ledger.path)["sleeper"]

    assert Identity(entry["pid"], entry["started"]) == process.identity
    stop_together([process])


def test_what_an_earlier_run_left_is_ended_by_its_record(tmp_path: Path, ledger: Ledger) -> None:
    process = start(ledger, sleeper(tmp_path, _PARENT))
    (child,) = children_of(process)

    left = Ledger(ledger.path).end_leftovers()

    assert left == ["sleeper"]
    assert not process.identity.is_alive
    assert not child.is_alive
    assert not ledger.path.exists()
    assert process.has_ended()


def test_children_of_a_leftover_that_is_dead_itself_are_ended(
    tmp_path: Path, ledger: Ledger
) -> None:
    process = start(ledger, sleeper(tmp_path, _PARENT))
    (child,) = children_of(process)
    process.identity.send(signal.SIGKILL)
    process.popen.wait()

    Ledger(ledger.path).end_leftovers()

    assert not child.is_alive


def test_a_record_whose_number_went_to_a_stranger_ends_nobody(
    tmp_path: Path, ledger: Ledger
) -> None:
    process = start(ledger, sleeper(tmp_path))
    recorded = read_json(ledger.path)
    recorded["sleeper"]["started"] -= 1
    write_json(ledger.path, recorded)

    Ledger(ledger.path).end_leftovers()

    assert process.identity.is_alive
    stop_together([process])
