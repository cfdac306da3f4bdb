"""How long `make up` takes to READY where everything is installed and there is data already."""

import os
import subprocess
import time
from collections.abc import Mapping
from statistics import median

from deploy.machine.run_folder import REPOSITORY, RunFolder
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement
from tests.benchmarks.measured import RUNS
from tests.benchmarks.measured import Measured as System

WARM, STARTS = "start.warm", 3
_MOST_SECONDS = 180


def run(_: Bench) -> Mapping[str, Measured]:
    system = System(RunFolder(RUNS / "start"))
    system.clean()
    try:
        make_up(system)
        system.down()
        taken = [warm_start(system) for _ in range(STARTS)]
    finally:
        system.clean()
    return {WARM: Measured(value=median(taken), details={"starts_s": taken})}


def warm_start(system: System) -> float:
    began = time.monotonic()
    make_up(system)
    seconds = time.monotonic() - began
    system.down()
    return seconds


def make_up(system: System) -> None:
    """By make itself; what an outer make tells its children would be taken for ours."""
    environment = {
        name: value
        for name, value in system.environment.items()
        if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "REGION")
    }
    log = system.run_folder.with_name("start.log")
    with log.open("wb") as out:
        subprocess.run(
            ["make", "up"],
            cwd=REPOSITORY,
            env=environment | {"PATH": os.environ["PATH"]},
            stdout=out,
            stderr=out,
            timeout=_MOST_SECONDS,
            check=True,
        )


MEASUREMENTS = [Measurement(figures=[Figure(WARM, "s", Goal("<=", 15))], run=run)]
