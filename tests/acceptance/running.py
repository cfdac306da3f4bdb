"""The whole system as processes of its own, two replicas of each service, under .run/test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import amqp
import psycopg
from psycopg.rows import DictRow, dict_row

from deploy.machine.ports import FreePorts
from deploy.machine.processes import Identity
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST
from deploy.machine.run_folder import REPOSITORY, read_json
from deploy.machine.running_system import RunningSystem

REPLICAS = 2
SERVICES = ("referrals", "matching", "scheduling", "notifications")
_UP_SECONDS = 180
_BACK_SECONDS = 60
Database = psycopg.Connection[DictRow]
T = TypeVar("T")


@dataclass(frozen=True)
class Running(RunningSystem):
    """The system as deploy.region sees it, and behind that what tests must see."""

    gateway_port: int = field(default_factory=lambda: FreePorts().take())

    @property
    def log_folder(self) -> Path:
        return self.run_folder / "log"

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "KINDRED_RUN": str(self.run.path),
            "KINDRED_REPLICAS": str(REPLICAS),
            # A test counts what it did itself; the probe's own tests walk when they want to.
            "KINDRED_PROBE_SECONDS": "0",
            "KINDRED_PORT": str(self.gateway_port),
        }
        inherited = {name: os.environ[name] for name in os.environ if name[:8] != "KINDRED_"}
        return {**inherited, **ours}

    def kindred(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """The operator's command line, against this system."""
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def up(self) -> None:
        self._must("up")

    def down(self) -> None:
        self._must("down")

    def clean(self) -> None:
        self._must("clean")

    def _must(self, command: str) -> None:
        done = self.kindred(command, seconds=_UP_SECONDS)
        if done.returncode:
            raise RuntimeError(f"kindred {command}: {done.stdout}{done.stderr}")

    def processes(self) -> dict[str, dict[str, Any]]:
        """Every process by name: pid, start time and ports, as the supervisor wrote them down."""
        return read_json(self.run_folder / "ports.json")

    def identity(self, name: str) -> Identity:
        entry = self.processes()[name]
        return Identity(entry["pid"], entry["started"])

    def terminate(self, name: str) -> float:
        """Ask one process to end; return how many seconds it took.

        By SIGTERM, but PostgreSQL and nginx take other signals for an orderly end.
        """
        identity = self.identity(name)
        number = signal.Signals[self.processes()[name]["stop_signal"]]
        asked = time.monotonic()
        identity.send(number)
        eventually(lambda: not identity.is_alive, f"{name} has ended", seconds=30)
        return time.monotonic() - asked

    def wait_until_back(self, name: str, before: Identity) -> None:
        """Wait until the supervisor has started it again."""

        def is_new() -> bool:
            now = self.identity(name)
            return now != before and now.is_alive

        eventually(is_new, f"{name} is back", seconds=_BACK_SECONDS)

    def replicas(self, service: str, role: str) -> list[str]:
        return [name for name in self.processes() if name.startswith(f"{service}.{role}.")]

    @contextmanager
    def database(self, service: str, *, as_itself: bool = False) -> Iterator[Database]:
        """A service's database, as the administrator or as the service itself."""
        user, secret = (service, f"service {service}") if as_itself else ("postgres", "postgres")
        dsn = self.database_dsn(service, user, self.secret(secret))
        with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as connection:
            yield connection

    @contextmanager
    def broker(self) -> Iterator[Any]:
        """A channel to the broker, as the one who deploys; what is published is confirmed."""
        with amqp.Connection(
            host=f"127.0.0.1:{self.port('rabbitmq', 'amqp')}",
            userid=ADMIN,
            password=self.secret("rabbitmq"),
            virtual_host=VHOST,
            confirm_publish=True,
        ) as connection:
            yield connection.channel()

    def publish(self, exchange: str, routing_key: str, body: bytes, **properties: Any) -> None:
        """Hand a message to the broker just as it is."""
        described = {"content_type": "application/json", "delivery_mode": 2, **properties}
        with self.broker() as channel:
            channel.basic_publish(amqp.Message(body, **described), exchange, routing_key)

    def rows(self, service: str, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database(service) as connection:
            return connection.execute(query, values or None).fetchall()


def eventually(look: Callable[[], T], what: str, *, seconds: float = 20.0) -> T:
    """Wait until it is so; its last look is returned."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return found
