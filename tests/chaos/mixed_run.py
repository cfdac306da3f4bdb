"""One mixed run: load and faults side by side, then quiet, then the checker's verdict."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy.machine.environment import python_environment
from deploy.machine.run_folder import REPOSITORY
from tests.chaos.checker import check
from tests.chaos.disturber import Disturber
from tests.chaos.drain import wait_until_drained
from tests.chaos.fault import Scene
from tests.chaos.injections import Injections
from tests.chaos.node import Node
from tests.chaos.schedule import FAULTS, plan
from tests.chaos.system import DisturbedSystem
from tests.chaos.verdict import MUST_BE_ZERO, Verdict

_DRAIN_SECONDS = 240.0
_LOAD_ENDS_SECONDS = 120.0
_SHOWN = 60
_WALKERS = 20
Say = Callable[[str], None]


@dataclass
class Outcome:
    verdict: Verdict
    drained: float
    done: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        counters = {name: self.verdict[name] for name in MUST_BE_ZERO}
        unexplained = counters.pop("unexplained")
        told = {
            "events": self.verdict.handled,
            "faults": self.done.total(),
            **counters,
            "parked": self.verdict.parked,
            "unexplained": unexplained,
            "drained_s": f"{self.drained:.1f}",
        }
        return "CHAOS " + " ".join(f"{name}={value}" for name, value in told.items())


class Load:
    """The load's own process, from its first walk to the last answer."""

    def __init__(self, system: DisturbedSystem, seed: int, seconds: float) -> None:
        options = ["--seed", str(seed), "--seconds", str(seconds), "--walkers", str(_WALKERS)]
        with (system.log_folder / "load.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.load", str(system.run.path), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=REPOSITORY,
                env=python_environment(),
            )

    def wait_until_ready(self) -> None:
        if self.process.stdout is None or self.process.stdout.readline() != "ready\n":
            raise RuntimeError("The load did not begin; see load.log")

    def wait_until_ended(self) -> str:
        told, _ = self.process.communicate(timeout=_LOAD_ENDS_SECONDS)
        return told

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def scene_of(system: DisturbedSystem) -> Scene:
    return Scene(system, Node(system), Injections(system.run_folder / "injected.jsonl"))


def run(system: DisturbedSystem, seed: int, seconds: float, say: Say) -> Outcome:
    """On a system that is up and has done nothing yet."""
    disturber = Disturber(scene_of(system), say)
    load = Load(system, seed, seconds)
    try:
        load.wait_until_ready()
        disturber.run(plan(seed, seconds), seconds)
        say(load.wait_until_ended())
    finally:
        load.stop()
    return _judge(system, disturber, say)


def _judge(system: DisturbedSystem, disturber: Disturber, say: Say) -> Outcome:
    began = time.monotonic()
    made_up = disturber.scene.injections.aggregates()
    _, left = wait_until_drained(system, _DRAIN_SECONDS, made_up)
    drained = time.monotonic() - began
    say(f"quiet after {drained:.1f} s" if not left else f"not quiet: {left}")
    verdict = check(system.evidence())
    for finding in verdict.findings[:_SHOWN]:
        say(f"{finding.invariant} {finding.counter}: {finding.text}")
    for kind, count in sorted(disturber.done.items()):
        say(f"{count:4} {kind}")
    without = sorted({fault.kind for fault in FAULTS} - disturber.done.keys())
    if without:
        say(f"did not fit: {', '.join(without)}")
    return Outcome(verdict, drained, disturber.done)
