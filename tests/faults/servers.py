"""A broker and a durable database of the fault tests' own, which may be hurt."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from deploy.machine.postgres import PrivatePostgres
from deploy.machine.private_files import Secrets
from deploy.machine.processes import Identity
from deploy.machine.rabbitmq import PrivateRabbit
from deploy.machine.rabbitmq_definitions import definitions
from tests.support import wait_for

QUORUM = {"x-queue-type": "quorum"}
USER, PASSWORD = "matching", "for the parcel service"
TOPOLOGY = {
    "exchanges": ["matching.events", "post.events"],
    "queues": {
        "matching.note": QUORUM,
        "matching.parcel": {**QUORUM, "x-single-active-consumer": True},
    },
    "bindings": [
        {"exchange": "matching.events", "queue": "matching.note", "routing_key": "note.#"},
        {"exchange": "post.events", "queue": "matching.parcel", "routing_key": "parcel.#"},
    ],
}


class Broker:
    """One node, with the parcel service as a user who declares nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        secret = Secrets(folder / "secrets.json").of("rabbitmq")
        loaded = definitions(secret, {USER: PASSWORD}, TOPOLOGY)
        self.server = PrivateRabbit(folder, loaded=loaded).discard()

    @property
    def url(self) -> str:
        return self.server.url_of(USER, PASSWORD)

    @property
    def admin_url(self) -> str:
        return self.server.url

    @property
    def port(self) -> int:
        return self.server.ports[0]

    def start(self) -> "Broker":
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    def kill(self) -> None:
        """End the node as by kill -9; it comes back with `start`."""
        node = self.server._processes[-1]
        node.identity.send(signal.SIGKILL)
        wait_for(node.has_ended)
        self.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The node stands still, and says nothing on any connection."""
        identity = self.server._processes[-1].identity
        with standing_still([identity]):
            yield

    def tell(self, erlang: str) -> str:
        """Have the node evaluate an expression; rabbitmqctl says the same, but takes seconds."""
        done = subprocess.run(
            ["erl_call", "-sname", "kindred@localhost", "-c", self._cookie, "-timeout", "20", "-e"],
            input=f"{erlang}.\n",
            env={**os.environ, "ERL_EPMD_PORT": str(self.server.ports[2])},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout

    @property
    def _cookie(self) -> str:
        return (self.folder / ".erlang.cookie").read_text().strip()


class Database:
    """One PostgreSQL server that keeps what it promised."""

    def __init__(self, folder: Path, **facts: Any) -> None:
        self.folder = folder
        self.server = PrivatePostgres(folder, durable=True, **facts)

    @property
    def dsn(self) -> str:
        return self.server.dsn

    @property
    def port(self) -> int:
        return int(psycopg.conninfo.conninfo_to_dict(self.dsn)["port"] or 0)

    def start(self) -> "Database":
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    @property
    def postmaster(self) -> Identity:
        """The server itself: the process that we started is only a shell before it."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        return Identity.of(pid) or Identity(pid, 0)

    def end(self, number: int) -> None:
        """Send its process a signal and wait until it is gone; it comes back with `start`."""
        identity = self.postmaster
        identity.send(number)
        wait_for(lambda: not identity.is_alive, seconds=30)
        self.stop()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The server and all of its backends stand still."""
        with standing_still([self.postmaster, *self.backends()]):
            yield

    def backends(self) -> list[Identity]:
        """Every process that the server has started."""
        parent = self.postmaster.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [identity for pid in children if (identity := Identity.of(int(pid)))]

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement, as the administrator."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def setting(self, name: str, value: str) -> Iterator[None]:
        """A setting of the whole server, until the block ends."""
        self.run(f"ALTER SYSTEM SET {name} = {value}")
        self.run("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            self.run(f"ALTER SYSTEM RESET {name}")
            self.run("SELECT pg_reload_conf()")


@contextmanager
def standing_still(identities: list[Identity]) -> Iterator[None]:
    for identity in identities:
        identity.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for identity in identities:
            identity.send(signal.SIGCONT)


def until(check: Callable[[], Any], seconds: float = 30) -> Any:
    return wait_for(check, seconds)
