"""What dies is started again; what keeps dying stops the start."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.machine.keeper import Keeper, Stopped, ended_early, pause_after
from deploy.machine.ledger import Ledger
from deploy.machine.processes import RUN_VARIABLE, Identity, Program
from deploy.machine.run_folder import CannotStart, read_json
from tests.support import wait_for


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(Ledger(tmp_path / "ports.json"), threading.Event())


def program(folder: Path, code: str, name: str = "one") -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-c", code],
        log=folder / f"{name}.log",
        environment=dict(os.environ),
        folder=folder,
    )


def identity(keeper: Keeper, name: str = "one") -> Identity:
    entry = read_json(keeper.ledger.path)[name]
    return Identity(entry["pid"], entry["started"])


def stop(keeper: Keeper) -> None:
    keeper.stopping.set()
    keeper.stop_all()


def test_pauses_grow_and_stay_bounded() -> None:
    pauses = [pause_after(number) for number in range(20)]

    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert max(pauses) == 10


@pytest.mark.parametrize(
    ("status", "lasted_seconds", "early"),
    [(1, 1, True), (1, 30, True), (0, 30, True), (1, 90, False), (-9, 1, True), (-9, 5, False)],
)
def test_a_killed_process_counts_as_failing_only_when_it_had_just_begun(
    status: int, lasted_seconds: float, early: bool
) -> None:
    assert ended_early(status, lasted_seconds) is early


def started_in(run: Path) -> list[int]:
    """Every process that knows this run folder as its own."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{RUN_VARIABLE}={run}".encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
    return found


def test_what_cannot_be_written_down_is_not_started_until_it_can_be(tmp_path: Path) -> None:
    run, away = tmp_path / "run", tmp_path / "away"
    run.mkdir()
    keeper = Keeper(Ledger(run / "ports.json"), threading.Event())
    keeper.add(program(tmp_path, "import time; time.sleep(60)"), tier=0)
    first = identity(keeper)
    run.rename(away)
    first.send(signal.SIGKILL)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        keeper.mend()
    assert started_in(run) == []
    away.rename(run)

    def is_back() -> bool:
        keeper.mend()
        return identity(keeper) != first

    wait_for(is_back)
    assert started_in(run) == [identity(keeper).pid]
    stop(keeper)


def test_a_wrong_setting_is_not_tried_again(tmp_path: Path, keeper: Keeper) -> None:
    code = "import sys; print('Wrong settings: one'); sys.exit(2)"
    keeper.add(program(tmp_path, code), tier=0)
    starts = []

    def never() -> bool:
        keeper.mend()
        starts.append(identity(keeper))
        return False

    with pytest.raises(CannotStart, match="Wrong settings: one"):
        keeper.wait("one", never, 20)
    assert len(set(starts)) == 1
    stop(keeper)


def test_a_process_that_was_killed_is_started_again(tmp_path: Path, keeper: Keeper) -> None:
    keeper.add(program(tmp_path, "import time; time.sleep(60)"), tier=0)
    before = identity(keeper)
    before.send(signal.SIGKILL)

    def is_back() -> bool:
        keeper.mend()
        return identity(keeper) != before and identity(keeper).is_alive

    keeper.wait("one", is_back, 10)
    stop(keeper)


def test_a_process_that_keeps_ending_stops_the_start_with_its_last_words(
    tmp_path: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.machine.keeper.pause_after", lambda _: 0.0)
    keeper.add(program(tmp_path, "raise SystemExit('Wrong settings: one')"), tier=0)

    def never() -> bool:
        keeper.mend()
        return False

    with pytest.raises(CannotStart, match=r"one does not stay up; see .*: Wrong settings: one"):
        keeper.wait("one", never, 20)
    stop(keeper)


def test_higher_tiers_have_ended_before_lower_ones_are_asked(
    tmp_path: Path, keeper: Keeper
) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time, pathlib\n"
        "def end(*_):\n"
        f"    open({str(order)!r}, 'a').write(sys.argv[1] + ' '); time.sleep(0.2); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"pathlib.Path({str(tmp_path)!r}, 'ready-' + sys.argv[1]).touch()\n"
        "time.sleep(60)\n"
    )
    for tier, name in enumerate(["server", "service"]):
        plain = program(tmp_path, code, name)
        keeper.add(
            Program(
                name=name,
                command=[*plain.command, name],
                log=plain.log,
                environment=plain.environment,
                folder=tmp_path,
            ),
            tier=tier,
        )
        keeper.wait(name, (tmp_path / f"ready-{name}").exists, 10)

    stop(keeper)

    assert order.read_text().split() == ["service", "server"]


def test_nothing_is_started_once_told_to_stop(tmp_path: Path, keeper: Keeper) -> None:
    keeper.stopping.set()

    with pytest.raises(Stopped):
        keeper.add(program(tmp_path, "pass"), tier=0)
