"""How long the system takes to come back: one fault at a time, from its end until all flows.

All flows when a referral submitted after the fault has gone its whole way to a delivered mail, and
nothing of what happened meanwhile is left to do.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

from deploy.region.api import Refused
from deploy.region.mailbox import Mailbox
from tests.acceptance.clients import PatientApi, Place
from tests.chaos.disturber import IN_VAIN, Say
from tests.chaos.drain import wait_until_drained
from tests.chaos.fault import Fault, Scene
from tests.chaos.mixed_run import scene_of
from tests.chaos.schedule import FAULTS
from tests.chaos.system import DisturbedSystem

_GIVEN_UP_SECONDS = 120.0
_FEED_SECONDS = 0.5
_TRIES = 3


class Probe:
    """A small place of its own, whose referrals are followed to the clinic's mail."""

    def __init__(self, system: DisturbedSystem) -> None:
        self.place = Place(PatientApi(system), Mailbox(system.mail_folder), "qca").open()
        self.place.add_peer(capacity=200)
        self.system = system

    def follow_one(self) -> None:
        referral = self.submit()
        story = self.place.story()
        story.step_seconds = _GIVEN_UP_SECONDS
        story.shortlist(referral["id"])
        story.wait_for_message(referral["id"], "delivered", to="clinic")

    def submit(self) -> dict[str, Any]:
        """A referral that the coordinator accepts, so that the clinic gets a mail."""
        story = self.place.story()
        referral = story.submit(self.place.referral())
        story.accept(referral["id"])
        return referral

    @contextmanager
    def feeding(self) -> Iterator[None]:
        """Referral after referral meanwhile, so that the fault has something to disturb."""
        stopping = threading.Event()

        def feed() -> None:
            while not stopping.wait(_FEED_SECONDS):
                try:
                    self.submit()
                except (Refused, urllib3.exceptions.HTTPError):
                    continue

        threads = [threading.Thread(target=feed, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()


def measure(system: DisturbedSystem, seed: int, prefix: str, say: Say) -> bool:
    """Every fault whose kind begins so, one line each; tell whether all came back in time."""
    scene, probe = scene_of(system), Probe(system)
    probe.follow_one()
    in_time = True
    for fault in FAULTS:
        name = fault.kind.replace(" ", "-")
        if not name.startswith(prefix):
            continue
        seconds = _recover_from(fault, scene, probe, seed)
        told = "unreached" if seconds is None else f"{seconds:.1f}"
        say(f"RECOVERY {name} {told} goal<={fault.goal:.0f}")
        in_time &= seconds is not None and seconds <= fault.goal
    return in_time


def _recover_from(fault: Fault, scene: Scene, probe: Probe, seed: int) -> float | None:
    """Seconds from the fault's end; None if it could not be done, or nothing came back."""
    rng = random.Random(f"{seed} {fault.kind}")
    for _ in range(_TRIES):
        try:
            with probe.feeding(), fault.act(scene, rng):
                time.sleep(max(fault.seconds))
                ended = time.monotonic()
        except IN_VAIN:
            continue
        probe.follow_one()
        left = wait_until_drained(scene.system, _GIVEN_UP_SECONDS, scene.injections.aggregates())[1]
        return None if left else time.monotonic() - ended
    return None
