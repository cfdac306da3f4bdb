"""The short form of `make chaos`: one seed, half a minute, every lane of faults at once."""

import re
import subprocess
import sys

import pytest

from deploy.machine.run_folder import REPOSITORY
from tests.chaos.schedule import FAULTS, plan

SECONDS = 25
MUST_BE_ZERO = ("lost", "applied_twice", "unexpected", "out_of_order", "double_booked")


@pytest.mark.timeout(420)
def test_half_a_minute_of_random_faults_loses_and_repeats_nothing() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seed", "25", "--seconds", str(SECONDS)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    verdict = dict(re.findall(r"(\w+)=([\d.]+)", done.stdout.splitlines()[-1]))
    assert {name: verdict[name] for name in (*MUST_BE_ZERO, "unexplained")} == dict.fromkeys(
        (*MUST_BE_ZERO, "unexplained"), "0"
    ), done.stdout
    assert done.returncode == 0
    assert int(verdict["events"]) > 100
    assert int(verdict["faults"]) >= 10


def test_two_minutes_hold_every_kind_of_fault() -> None:
    for seed in range(20):
        planned = [one.fault.kind for lane in plan(seed, 120).values() for one in lane]

        assert set(planned) == {fault.kind for fault in FAULTS}
        assert len(planned) >= 60


def test_the_same_seed_plans_the_same_faults_at_the_same_times() -> None:
    assert plan(7, 60) == plan(7, 60)
    assert plan(7, 60) != plan(8, 60)
