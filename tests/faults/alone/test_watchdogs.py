"""What is stuck or frozen is noticed by somebody else, and the work goes on."""

import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.machine.keeper import Keeper
from deploy.machine.ledger import Ledger
from deploy.machine.liveness import Liveness
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.processes import Identity, Program
from deploy.machine.run_folder import read_json
from services.chassis.hosting.watchdog import STUCK
from services.chassis.roles import Role
from tests.faults.parcel_service import HANGS
from tests.faults.post_office import PostOffice, end
from tests.faults.spinning_service import Spinning
from tests.integration.chassis.test_web_process import environment_of
from tests.support import Scene, caller, wait_for

HOST = """
from services.chassis.hosting import web
from tests.faults.spinning_service import Spinning
raise SystemExit(web.serve(Spinning))
"""


def test_a_consumer_that_hangs_in_a_handler_ends_its_process(office: PostOffice) -> None:
    end(office.worker)
    office.worker = office.start("worker", KINDRED_STUCK_SECONDS="5")

    office.send(HANGS)

    assert office.worker.wait(30) == STUCK
    assert '"event": "loop_stuck", "loop": "consume_matching.parcel"' in office.log_since
    assert "parcel_service.py" in office.log_since  # where it hung
    office.clear()


def test_another_replica_takes_over_from_a_frozen_worker_which_does_no_harm_when_it_wakes(
    office: PostOffice,
) -> None:
    frozen = office.worker
    office.worker = office.start("worker")
    office.send(1, 2, 3)
    office.settle()
    frozen.send_signal(signal.SIGSTOP)

    subject = office.send(1, 2, 3)
    office.command()
    office.settle()
    frozen.send_signal(signal.SIGCONT)
    office.send(4, 5, subject=subject, first=4)

    office.settle()
    end(frozen)


class KeptWeb:
    """The web process of a service that can block its hub, kept and watched."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.keeper = Keeper(Ledger(folder / "ports.json"), threading.Event())
        ports = FreePorts()
        self.http, internal = ports.take(), ports.take()
        program = Program(
            name="web",
            command=[sys.executable, "-W", "ignore", "-c", HOST],
            log=folder / "web.log",
            environment={
                **environment_of(scene.settings),
                "KINDRED_HTTP": f"{LOOPBACK}:{self.http}",
                "KINDRED_INTERNAL": f"{LOOPBACK}:{internal}",
            },
            live_port=internal,
        )
        self.keeper.add(program, tier=0)
        liveness = Liveness(self.keeper, seconds=1)
        wait_for(liveness.look, seconds=30)
        for run in (self._mend, liveness.run):
            threading.Thread(target=run, daemon=True).start()

    def _mend(self) -> None:
        while not self.keeper.stopping.wait(0.1):
            self.keeper.mend()

    def identity(self) -> Identity:
        entry = read_json(self.keeper.ledger.path)["web"]
        return Identity(entry["pid"], entry["started"])

    def is_live(self) -> bool:
        try:
            url = f"http://{LOOPBACK}:{self.http}/health/matching/live"
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def block_the_hub(self) -> None:
        headers = {
            "Authorization": f"Bearer {self.scene.token(caller(Role.OPERATOR))}",
            "Content-Type": "application/json",
        }
        url = f"http://{LOOPBACK}:{self.http}/api/matching/spin"
        request = urllib.request.Request(url, data=b"{}", headers=headers, method="POST")
        with pytest.raises(OSError, match="timed out"):
            urllib.request.urlopen(request, timeout=1)

    def stop(self) -> None:
        self.keeper.stopping.set()
        self.keeper.stop_all()


@pytest.fixture
def kept_web(database: Any, tmp_path: Path) -> Iterator[KeptWeb]:
    scene = Scene(Spinning, database("matching"))
    kept = KeptWeb(scene, tmp_path)
    yield kept
    kept.stop()
    scene.close()


def test_a_web_process_with_a_blocked_hub_is_killed_and_started_again(kept_web: KeptWeb) -> None:
    blocked = kept_web.identity()

    kept_web.block_the_hub()

    wait_for(lambda: kept_web.identity() != blocked and kept_web.is_live(), seconds=40)
    assert not blocked.is_alive
