"""Faults of the database: away, silent, locked, full of strangers, or only for reading."""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg

from deploy.machine.processes import Identity
from tests.acceptance.running import SERVICES
from tests.chaos.fault import Fault, Missed, Scene
from tests.chaos.process_faults import replica, standing_still

_BACK_SECONDS = 60.0
# For ourselves, whatever the server's setting is meanwhile.
_MAY_WRITE = "-c default_transaction_read_only=off"


@contextmanager
def ended(scene: Scene, _: random.Random, *, number: int) -> Iterator[str]:
    """SIGQUIT ends it at once, as a crash; SIGINT in good order, though it waits for nobody."""
    before = postmaster(scene)
    before.send(number)
    yield "postgres"
    wait_until_back(scene, before)


@contextmanager
def paused(scene: Scene, _: random.Random) -> Iterator[str]:
    """The server and all its backends stand still."""
    server = postmaster(scene)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    still = [server, *filter(None, (Identity.of(int(pid)) for pid in children))]
    for identity in still:
        identity.send(signal.SIGSTOP)
    try:
        yield "postgres and its backends"
    finally:
        for identity in reversed(still):
            identity.send(signal.SIGCONT)


@contextmanager
def backends_terminated(scene: Scene, rng: random.Random) -> Iterator[str]:
    service = rng.choice(SERVICES)
    query = """
        SELECT count(pg_terminate_backend(pid))
          FROM pg_stat_activity
         WHERE datname = %s AND usename = %s
    """
    scene.system.rows(service, query, service, service)
    yield service


@contextmanager
def locked_by_a_stranger(scene: Scene, rng: random.Random) -> Iterator[str]:
    service, table = rng.choice(SERVICES), rng.choice(("outbox", "inbox", "deferred"))
    with scene.system.database(service) as stranger, stranger.transaction():
        stranger.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield f"{service}.{table}"


@contextmanager
def connections_exhausted(scene: Scene, rng: random.Random) -> Iterator[str]:
    service = rng.choice(SERVICES)
    with ExitStack() as taken:
        with suppress(psycopg.OperationalError):
            for _ in range(400):
                taken.enter_context(scene.system.database(service, as_itself=True))
        yield "every connection"


@contextmanager
def read_only(scene: Scene, _: random.Random) -> Iterator[str]:
    set_for_all(scene, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield "postgres"
    finally:
        set_for_all(scene, "ALTER SYSTEM RESET default_transaction_read_only")


def set_for_all(scene: Scene, statement: str) -> None:
    port, secret = scene.system.port("postgres", "postgresql"), scene.system.secret("postgres")
    address = f"postgresql://postgres:{secret}@127.0.0.1:{port}/postgres"
    with psycopg.connect(address, autocommit=True, options=_MAY_WRITE) as connection:
        connection.execute(statement.encode())
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def relay_stalled(scene: Scene, rng: random.Random) -> Iterator[str]:
    """The relay that leads stands still, loses its lead, and wakes as one of two."""
    service = rng.choice(SERVICES)
    name = replica(scene, rng, service, "worker")
    with standing_still(scene, [name]):
        time.sleep(0.5)
        query = """
            SELECT count(pg_terminate_backend(pid))
              FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE locktype = 'advisory' AND datname = %s AND application_name LIKE %s
        """
        [row] = scene.system.rows(service, query, service, "%relay%")
        if not row["count"]:
            raise Missed(f"nobody leads {service}'s relay")
        time.sleep(1.5)
    yield name


def postmaster(scene: Scene) -> Identity:
    """The server itself: the process that the supervisor started is only a shell before it."""
    pid = int((scene.postgres_data / "postmaster.pid").read_text().splitlines()[0])
    return Identity.of(pid) or Identity(pid, 0)


def wait_until_back(scene: Scene, before: Identity) -> None:
    until = time.monotonic() + _BACK_SECONDS
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError, OSError, IndexError, ValueError):
            if postmaster(scene) != before and scene.system.rows("referrals", "SELECT 1 AS one"):
                return
        time.sleep(0.2)


FAULTS = [
    Fault(
        "database ended at once",
        "database away",
        "database",
        partial(ended, number=signal.SIGQUIT),
        (0, 0),
        30,
    ),
    Fault(
        "database restarted",
        "database away",
        "database",
        partial(ended, number=signal.SIGINT),
        (0, 0),
        30,
    ),
    Fault("database paused", "database away", "database", paused, (2, 5), 20),
    Fault(
        "backends terminated",
        "database connections",
        "database",
        backends_terminated,
        goal=10,
    ),
    Fault("lock of a stranger", "database lock", "database", locked_by_a_stranger, (3, 6), 20),
    Fault(
        "connections exhausted",
        "database connections",
        "database",
        connections_exhausted,
        (2, 4),
        20,
    ),
    Fault("database read-only", "database read-only", "database", read_only, (2, 4), 20),
    Fault("relay stalled", "two relays", "database", relay_stalled, goal=20),
]
