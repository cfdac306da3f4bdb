"""One worker process of the parcel service, its database, its queues, and who sends parcels."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from kombu.connection import Connection

from tests.chaos.crash_points import FOLDER, CrashPoints
from tests.integration.chassis.test_consumer import delivery
from tests.integration.chassis.test_through_the_broker import publish
from tests.support import Scene, wait_for

OWN = "matching.note"
FOLLOWED = "matching.parcel"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PostOffice:
    """Starts the worker, ends it, and says what came of the parcels."""

    def __init__(self, scene: Scene, broker: str, folder: Path) -> None:
        self.scene = scene
        self.broker = broker
        self.folder = folder
        self.points = CrashPoints(folder / "points")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.ports: dict[int, int] = {}
        self.parcels = 0

    def start(
        self, *, prefix: tuple[str, ...] = (), **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start one more worker; it runs when its loops do."""
        port = free_port()
        command = [*prefix, sys.executable, "-W", "ignore", "-m", "tests.faults.parcel_service"]
        with (self.folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                command,
                env={**self._environment(port), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(worker)
        self.ports[worker.pid] = port
        wait_for(lambda: worker.poll() is not None or self.is_ready(worker), seconds=30)
        return worker

    def _environment(self, port: int) -> Mapping[str, str]:
        settings = self.scene.settings
        return {
            "PATH": os.environ["PATH"],
            "KINDRED_DATABASE": settings.database,
            "KINDRED_BROKER": settings.broker,
            "KINDRED_INTERNAL": f"127.0.0.1:{port}",
            "KINDRED_TOKEN_KEYS": str(settings.token_keys),
            "KINDRED_SERVICE_KEY": str(settings.service_key),
            "KINDRED_LINK_KEY": settings.link_key,
            "KINDRED_TOPOLOGY": str(settings.topology),
            "KINDRED_DEMO": "1",
            FOLDER: str(self.points.folder),
        }

    def is_ready(self, worker: "subprocess.Popen[bytes]") -> bool:
        url = f"http://127.0.0.1:{self.ports[worker.pid]}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait(10)

    @property
    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    def send(self, *numbers: int, subject: UUID | None = None, first: int = 1) -> UUID:
        """Send parcels of one subject, in order."""
        subject = subject or uuid4()
        self.publish(
            [
                delivery(sequence, subject=subject, body=b'{"number": %d}' % number)
                for sequence, number in enumerate(numbers, first)
            ]
        )
        self.parcels += len(numbers)
        return subject

    def publish(self, deliveries: list[Any]) -> None:
        publish(self.broker, deliveries)

    def noted(self, subject: UUID | None = None) -> list[UUID]:
        """The subject of every note ever taken: one for each effect."""
        query = """
            SELECT aggregate_id FROM outbox WHERE aggregate_id = coalesce(%s, aggregate_id)
             UNION ALL
            SELECT aggregate_id FROM outbox_sent WHERE aggregate_id = coalesce(%s, aggregate_id)
        """
        return [row["aggregate_id"] for row in self.scene.rows(query, (subject, subject))]

    def sent(self) -> int:
        return int(self.scene.rows("SELECT count(*) FROM outbox_sent")[0]["count"])

    def unsent(self) -> list[dict[str, Any]]:
        return self.scene.rows("SELECT problem, attempts FROM outbox ORDER BY position")

    def deferred(self) -> list[tuple[str, str, int]]:
        rows = self.scene.rows("SELECT state, reason, attempts FROM deferred ORDER BY id")
        return [(row["state"], row["reason"], row["attempts"]) for row in rows]

    def count(self, queue: str) -> int:
        with Connection(self.broker) as connection:
            return int(connection.channel().queue_declare(queue, passive=True).message_count)

    def wait_until_all_is_done(self, seconds: float = 30) -> None:
        """Every parcel has its note, every note has left, and no parcel waits."""
        wait_for(lambda: self.sent() >= self.parcels and not self.unsent(), seconds)
        wait_for(lambda: self.count(FOLLOWED) == 0, seconds)

    def assert_each_had_one_effect_and_was_told(self) -> None:
        notes = self.noted()
        assert len(notes) == self.parcels
        assert self.count(OWN) >= self.parcels
