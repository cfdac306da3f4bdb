"""The database's disk is full: nothing accepted is lost, and all goes on when there is room."""

import json
import os
import subprocess
import sys

import pytest

from deploy.machine.run_folder import REPOSITORY

FOLDER = REPOSITORY / ".run" / "test-full-disk"


def may_mount() -> bool:
    if os.geteuid() != 0:
        return False
    return (
        subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not may_mount(), reason="only root may mount a small disk of its own")
def test_a_full_disk_refuses_commands_and_loses_none_that_was_accepted() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)

    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-W", "ignore", "-m", "tests.faults.full_disk", FOLDER],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["answers"]["503"] >= 1
    assert found["answers"]["204"] >= 2
    assert found["lost"] == 0
