"""The parcel service in real processes, what was sent to it, and what came of that.

Parcels come by events, commands by HTTP; each that was confirmed or accepted must have one note,
and each note must be told, in the order of its subject.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from kombu.connection import Connection

from deploy import topology
from deploy.machine.ports import FreePorts
from services.chassis.deferred import Delivery
from services.chassis.roles import Role
from tests.chaos.crash_points import FOLDER, CrashPoints
from tests.faults.servers import TOPOLOGY
from tests.integration.chassis.test_consumer import delivery
from tests.integration.chassis.test_through_the_broker import publish
from tests.support import Scene, caller, wait_for

OWN = "matching.note"
FOLLOWED = "matching.parcel"
_LEDGERS = "outbox, outbox_sent, inbox, positions, deferred, streams, idempotency_keys"

Process = subprocess.Popen[bytes]


class PostOffice:
    def __init__(self, scene: Scene, admin_url: str, folder: Path) -> None:
        self.scene = scene
        self.admin_url = admin_url
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log_file = folder / "processes.log"
        self.log_file.unlink(missing_ok=True)
        self.points = CrashPoints(folder / "points")
        self._ports = FreePorts()
        self._ready: dict[int, str] = {}
        self._started: list[Process] = []
        self.environment: dict[str, str] = {}  # for whatever is started from now on
        self.http_port = self._ports.take()
        self.begin()

    # ---- processes -----------------------------------------------------------------------------

    def open(self) -> None:
        """Start a web and a worker."""
        self.web = self.start("web")
        self.worker = self.start("worker")

    def start(self, role: str, **environment: str) -> Process:
        """Start a process and wait until it is ready."""
        process = self.launch(role, **environment)
        wait_for(lambda: process.poll() is not None or self.is_ready(process), seconds=40)
        assert process.poll() is None, self.log
        return process

    def launch(self, role: str, **environment: str) -> Process:
        internal = self._ports.take()
        command = [sys.executable, "-W", "ignore", "-m", "tests.faults.host", role]
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                command,
                env={**self._environment(internal), **self.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        port, path = (self.http_port, "matching/") if role == "web" else (internal, "")
        self._ready[process.pid] = f"http://127.0.0.1:{port}/health/{path}ready"
        return process

    def _environment(self, internal: int) -> dict[str, str]:
        settings = self.scene.settings
        return {
            "PATH": os.environ["PATH"],
            "KINDRED_DATABASE": settings.database,
            "KINDRED_BROKER": settings.broker,
            "KINDRED_HTTP": f"127.0.0.1:{self.http_port}",
            "KINDRED_INTERNAL": f"127.0.0.1:{internal}",
            "KINDRED_TOKEN_KEYS": str(settings.token_keys),
            "KINDRED_SERVICE_KEY": str(settings.service_key),
            "KINDRED_LINK_KEY": settings.link_key,
            "KINDRED_TOPOLOGY": str(settings.topology),
            "KINDRED_DEMO": "1",
            FOLDER: str(self.points.folder),
        }

    def is_ready(self, process: Process) -> bool:
        try:
            with urllib.request.urlopen(self._ready[process.pid], timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def mend(self) -> None:
        """Start again whatever has ended, as the supervisor would."""
        if self.web.poll() is not None:
            self.web = self.start("web")
        if self.worker.poll() is not None:
            self.worker = self.start("worker")

    def close(self) -> None:
        for process in self._started:
            end(process)
        self.scene.close()

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def log_since(self) -> str:
        """What the processes have logged since this test began."""
        return self.log_file.read_bytes()[self._log_begins :].decode(errors="replace")

    # ---- the broker's things ---------------------------------------------------------------------

    @contextmanager
    def unbound(self, queue: str, exchange: str, key: str) -> Iterator[None]:
        with Connection(self.admin_url) as connection:
            connection.channel().queue_unbind(queue, exchange, key)
        try:
            yield
        finally:
            with Connection(self.admin_url) as connection:
                connection.channel().queue_bind(queue, exchange, key)

    def delete_queue(self) -> None:
        with Connection(self.admin_url) as connection:
            connection.channel().queue_delete(FOLLOWED)

    def declare_queue(self) -> None:
        """As the supervisor's watchdog does."""
        topology.apply(self.admin_url, TOPOLOGY)

    # ---- what is sent ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a new count; what an earlier test left is thrown away."""
        self.wanted: Counter[UUID] = Counter()
        self.perhaps: Counter[UUID] = Counter()
        self.told: list[tuple[str, UUID, int]] = []

        self._log_begins = self.log_file.stat().st_size if self.log_file.exists() else 0

    def clear(self) -> None:
        self.begin()
        for queue in (OWN, FOLLOWED):
            with Connection(self.admin_url) as connection:
                connection.channel().queue_purge(queue)
        with psycopg.connect(self.scene.database.owner) as connection:
            connection.execute(f"TRUNCATE {_LEDGERS}".encode())

    def send(self, *numbers: int, subject: UUID | None = None, first: int = 1) -> UUID:
        """Send parcels of one subject, in order."""
        subject = subject or uuid4()
        self.hand_over(parcels(subject, *numbers, first=first))
        self.wanted[subject] += len(numbers)
        return subject

    def hand_over(self, deliveries: list[Delivery]) -> None:
        publish(self.admin_url, deliveries)

    def command(self, number: int = 1, *, key: str | None = None, note: UUID | None = None) -> int:
        """Ask over HTTP for a note; an answer of 2xx makes it wanted."""
        note_id = note or uuid4()
        self.perhaps[note_id] = 1
        status = self.post({"note_id": str(note_id), "number": number}, key or str(uuid4()))
        if status == 204:
            self.wanted[note_id] = 1
        return status

    def post(self, body: dict[str, Any], key: str) -> int:
        """The status; 0 where no answer came."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/api/matching/parcels",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.scene.token(caller(Role.OPERATOR))}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
            },
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    @contextmanager
    def load(self) -> Iterator[None]:
        """Commands and parcels, one after the other, while the block runs."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(0.05):
                self.command()
                with suppress(OSError):
                    self.send(1, 2)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(90)

    # ---- what came of it -------------------------------------------------------------------------

    def notes(self) -> Counter[UUID]:
        """How many notes there are of each subject: one for each effect."""
        query = "SELECT aggregate_id FROM outbox UNION ALL SELECT aggregate_id FROM outbox_sent"
        return Counter(row["aggregate_id"] for row in self.scene.rows(query))

    def sent(self) -> int:
        return int(self.scene.rows("SELECT count(*) FROM outbox_sent")[0]["count"])

    def unsent(self) -> list[dict[str, Any]]:
        return self.scene.rows("SELECT problem, attempts FROM outbox ORDER BY position")

    def deferred(self) -> list[tuple[str, str, int]]:
        rows = self.scene.rows("SELECT state, reason, attempts FROM deferred ORDER BY id")
        return [(row["state"], row["reason"], row["attempts"]) for row in rows]

    def count(self, queue: str) -> int:
        with Connection(self.admin_url) as connection:
            return int(connection.channel().queue_declare(queue, passive=True).message_count)

    def listen(self) -> None:
        """Take what was told from the queue of notes."""
        with Connection(self.admin_url) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            while message := channel.basic_get(OWN, no_ack=True):
                headers = message.headers
                self.told.append(
                    (
                        headers["cloudEvents:id"],
                        UUID(headers["cloudEvents:subject"]),
                        int(headers["cloudEvents:sequence"]),
                    )
                )

    def settle(self, seconds: float = 40) -> None:
        """Wait until every parcel and command has its note and nothing is under way."""
        wait_for(lambda: not self.wanted - self.notes(), seconds)
        wait_for(lambda: not self.unsent() and self.count(FOLLOWED) == 0, seconds)
        wait_for(lambda: all(state != "waiting" for state, _, _ in self.deferred()), seconds)
        self.assert_kept()

    def assert_kept(self) -> None:
        """Nothing lost, nothing done twice, nothing that nobody wanted, nothing out of order."""
        notes = self.notes()
        assert self.wanted - notes == Counter()
        assert notes - (self.wanted | self.perhaps) == Counter()
        self.listen()
        rows = self.scene.rows("SELECT event_id FROM outbox_sent")
        assert {event_id for event_id, _, _ in self.told} == {str(row["event_id"]) for row in rows}
        assert self._out_of_order() == []

    def _out_of_order(self) -> list[UUID]:
        """Subjects of which a number was told before the one that precedes it."""
        reached: Counter[UUID] = Counter()
        wrong = []
        for _, subject, sequence in self.told:
            if sequence > reached[subject] + 1:
                wrong.append(subject)
            reached[subject] = max(reached[subject], sequence)
        return wrong


def parcels(subject: UUID, *numbers: int, first: int = 1) -> list[Delivery]:
    return [
        delivery(sequence, subject=subject, body=b'{"number": %d}' % number)
        for sequence, number in enumerate(numbers, first)
    ]


def end(process: Process) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    process.wait(20)
