"""The probe waits its interval, tells how a walk went, and ends at once when told to."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy import probe
from deploy.machine.ports import FreePorts, answers
from deploy.machine.run_folder import REPOSITORY, RunFolder, read_json, write_json
from deploy.probe import Probe, how_it_went
from tests.support import wait_for

ANSWERED = {"outcome": "answered", "step": "withdraw", "seconds": 1.25, "at": "2026-11-25T10:00:00"}
FAILED = {"outcome": "failed", "step": "answer", "seconds": 60.0, "at": "2026-11-25T10:00:00"}


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (ANSWERED, "synthetic referral answered in 1.2 s, 2026-11-25T10:00:00"),
        (FAILED, "synthetic referral failed at the step answer, 2026-11-25T10:00:00"),
    ],
)
def test_the_last_walk_is_told_in_one_line(
    tmp_path: Path, told: dict[str, object], line: str
) -> None:
    write_json(tmp_path / "probe.json", told)

    assert how_it_went(RunFolder(tmp_path)) == line


def test_before_the_first_walk_there_is_nothing_to_tell(tmp_path: Path) -> None:
    assert how_it_went(RunFolder(tmp_path)) is None


def test_a_walk_that_says_nothing_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe.sys, "executable", "/bin/false")  # type: ignore[attr-defined]
    stopping = threading.Event()
    thread = threading.Thread(target=Probe(RunFolder(tmp_path), 0.05, stopping).serve)
    thread.start()

    wait_for(lambda: read_json(tmp_path / "probe.json"))

    stopping.set()
    thread.join(10)
    assert read_json(tmp_path / "probe.json")["outcome"] == "failed"


def test_the_process_shows_its_metrics_and_ends_when_told_to(tmp_path: Path) -> None:
    port = FreePorts().take()
    settings = {
        "KINDRED_RUN": str(tmp_path),
        "KINDRED_INTERNAL": f"127.0.0.1:{port}",
        "KINDRED_PROBE_SECONDS": "3600",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.probe"], cwd=REPOSITORY, env={**os.environ, **settings}
    )
    wait_for(lambda: answers(port), seconds=30)

    process.send_signal(signal.SIGTERM)

    try:
        assert process.wait(10) == 0
    finally:
        process.kill()
    assert json.dumps(read_json(tmp_path / "probe.json")) == "{}"
