"""A running system of which no single part is alone: three broker nodes, replicas, a standby."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from deploy.machine.run_folder import REPOSITORY
from deploy.region.mailbox import Mailbox
from deploy.region.story import Story
from tests.acceptance.clients import PatientApi, Place
from tests.acceptance.ledgers import holes, lost, wait_until_drained
from tests.acceptance.running import SERVICES, Running
from tests.chaos.checker import check
from tests.chaos.evidence import Evidence
from tests.faults.releases import MODULE

# Two replicas in the short form; three when asked for.
REPLICAS = int(os.environ.get("KINDRED_TEST_REPLICAS", "2"))
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Redundant(Running):
    @property
    def environment(self) -> dict[str, str]:
        more = {"KINDRED_REPLICAS": str(REPLICAS), "KINDRED_BROKERS": "3", "KINDRED_STANDBY": "1"}
        return {**super().environment, **more}

    def up(self) -> None:
        """By a supervisor whose processes may be of another release."""
        start = f"""if True:
            from deploy.machine import control, run_folder
            control.up(run_folder.RunFolder.of_environment(), {MODULE!r})
        """
        command = [sys.executable, "-c", start]
        subprocess.run(command, cwd=REPOSITORY, env=self.environment, timeout=240, check=True)


class Load:
    """Referrals submitted and accepted, one after the other, while a block runs."""

    def __init__(self, system: Running, language: str) -> None:
        self.api = PatientApi(system)
        mailbox = Mailbox(system.mail_folder)
        self.place = Place(self.api, mailbox, language, step_seconds=90.0).open()
        self.place.add_peer(capacity=1)
        self.story = self.place.story()
        self.accepted: list[str] = []
        self.failure: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(_PAUSE_SECONDS):
                referral_id = self.story.submit(self.place.referral())["id"]
                self.story.accept(referral_id)
                self.accepted.append(referral_id)
        except Exception as error:  # noqa: BLE001  told by the verdict, in the test's own thread
            self.failure = error

    def seconds_until_served(self) -> float:
        """How long a new referral takes to be ranked: through both databases and the broker."""
        began = time.monotonic()
        story: Story = self.place.story()
        story.shortlist(story.submit(self.place.referral())["id"])
        return time.monotonic() - began


def assert_nothing_lost(system: Running, load: Load) -> None:
    """All that was answered with 2xx is there, went everywhere, once and in order."""
    if load.failure:
        raise load.failure
    wait_until_drained(system, seconds=90)
    assert lost(system) == set()
    assert holes(system) == []
    verdict = check(Evidence(databases_of(system), system.mail_folder))
    assert verdict.findings == []
    assert verdict.handled
    waiting = [
        one["referral_id"]
        for one in load.api.all("/api/matching/waiting", by=load.place.coordinator)
    ]
    assert len(waiting) == len(set(waiting))
    assert set(load.accepted) <= set(waiting)
    assert load.accepted


def databases_of(system: Running) -> dict[str, str]:
    secret = system.secret("postgres")
    return {name: system.database_dsn(name, "postgres", secret) for name in SERVICES}
