"""A standby that has each commit before it is answered: what was answered survives the primary."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from deploy.machine.ledger import Ledger
from deploy.machine.ports import FreePorts
from deploy.machine.postgres import ADMIN, PostgresServer
from deploy.machine.processes import Process, stop_together, wait_until_ready
from deploy.machine.run_folder import read_json
from deploy.machine.standby import NAME, DatabasePair, pair_of
from services.chassis.database import Database, NotReplicated
from tests.acceptance.running import eventually
from tests.faults.database_servers import freeze, thaw
from tests.faults.redundant import Load, Redundant, assert_nothing_lost

# A commit waits 8 to 11 s for a dead standby; the rest is for two busy cores.
_SERVED_SECONDS = 40.0
_PROMOTED_SECONDS = 40.0


class Servers:
    """A primary and its standby that nobody watches over."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o711)
        ports = FreePorts()
        first = PostgresServer(
            folder=folder / "postgres",
            log=folder / "postgres.log",
            port=ports.take(),
            password="secret",
        )
        self.pair: DatabasePair = pair_of(first, port=ports.take(), file=folder / "roles.json")
        self.ledger = Ledger(folder / "processes.json")
        self.processes: list[Process] = []

    def start(self) -> None:
        self.pair.primary.prepare()
        self.primary = self._run(self.pair.primary)
        self.pair.make_standby()
        self.standby = self._run(self.pair.standby)
        with psycopg.connect(self.pair.primary.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE notes (note text)")
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            connection.execute("SELECT pg_reload_conf()")
            query = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'"
            eventually(lambda: connection.execute(query).fetchone() is not None, "in step")

    def _run(self, server: PostgresServer) -> Process:
        process = self.ledger.start(server.program())
        self.processes.append(process)
        wait_until_ready(process, server.is_ready, 60)
        return process

    def stop(self) -> None:
        for process in self.processes:
            thaw(process.identity)
        stop_together(reversed(self.processes))
        self.ledger.forget_all()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def note(database: Database, text: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES (%s)", (text,))


def note_until_cancelled(database: Database, server: PostgresServer, text: str) -> None:
    """Wait until the commit waits for the standby, then end its wait, as an operator might."""
    query = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with (
        psycopg.connect(server.dsn(), autocommit=True) as connection,
        ThreadPoolExecutor(1) as thread,
    ):
        commit = thread.submit(note, database, text)
        eventually(lambda: connection.execute(query).fetchone(), "the commit waits")
        commit.result()


def test_a_commit_that_did_not_reach_the_standby_is_not_answered(servers: Servers) -> None:
    database = Database(servers.pair.dsn("postgres", ADMIN, "secret"), name="test", pool_size=2)
    database.open()
    note(database, "before")

    freeze(servers.standby.identity)
    with pytest.raises(NotReplicated):
        note_until_cancelled(database, servers.pair.primary, "meanwhile")
    thaw(servers.standby.identity)

    note(database, "after")
    database.close()


def test_an_old_primary_that_wakes_after_a_promotion_answers_for_no_write(servers: Servers) -> None:
    old = Database(servers.pair.primary.dsn(), name="test", pool_size=2)
    old.open()
    note(old, "before")

    freeze(servers.primary.identity)
    with psycopg.connect(servers.pair.standby.dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_promote()")
        thaw(servers.primary.identity)
        with pytest.raises(NotReplicated):
            note_until_cancelled(old, servers.pair.primary, "after")
        kept = connection.execute("SELECT note FROM notes").fetchall()

    assert kept == [("before",)]
    old.close()


def roles(system: Redundant) -> dict[str, object]:
    return read_json(system.run.database_roles)


def server_names(system: Redundant) -> tuple[str, str]:
    """The primary's and the standby's."""
    names = ("postgres", "postgres.2")
    primary = roles(system)["primary"]
    assert isinstance(primary, int)
    return names[primary], names[1 - primary]


def wait_until_in_step(system: Redundant) -> None:
    eventually(lambda: roles(system)["in_step"], "the standby is in step", seconds=60)


@pytest.mark.timeout(300, func_only=True)
def test_without_its_standby_the_primary_goes_on_and_the_standby_is_not_promoted(
    redundant: Redundant,
) -> None:
    wait_until_in_step(redundant)
    standby = redundant.identity(server_names(redundant)[1])

    with Load(redundant, "qzc") as load:
        freeze(standby)
        seconds = load.seconds_until_served()
        promoted = redundant.kindred("promote")
        thaw(standby)
        wait_until_in_step(redundant)

    assert seconds < _SERVED_SECONDS
    assert promoted.returncode == 1
    assert "lacks commits" in promoted.stderr
    assert_nothing_lost(redundant, load)


@pytest.mark.timeout(300, func_only=True)
def test_a_frozen_primarys_standby_is_promoted_under_load_with_all_that_was_answered(
    redundant: Redundant, tmp_path: Path
) -> None:
    wait_until_in_step(redundant)
    before, after = server_names(redundant)

    with Load(redundant, "qzd") as load:
        load.seconds_until_served()
        freeze(redundant.identity(before))
        began = time.monotonic()
        promoted = redundant.kindred("promote", seconds=90)
        load.seconds_until_served()
        seconds = time.monotonic() - began

    assert promoted.returncode == 0, promoted.stderr
    assert seconds < _PROMOTED_SECONDS
    assert server_names(redundant) == (after, before)
    assert_takes_no_writes(redundant, before, tmp_path)
    assert_nothing_lost(redundant, load)
    assert redundant.kindred("rebuild-standby").returncode == 0
    wait_until_in_step(redundant)


def assert_takes_no_writes(system: Redundant, name: str, folder: Path) -> None:
    """Whoever starts the fenced server by hand gets one that only reads."""
    server = PostgresServer(
        folder=system.run_folder / name,
        log=folder / "by-hand.log",
        port=FreePorts().take(),
        password=system.secret("postgres"),
    )
    program = server.program()
    on_our_port = [*program.command, "-c", f"port={server.port}"]
    ledger = Ledger(folder / "processes.json")
    process = ledger.start(replace(program, command=on_our_port))
    try:
        wait_until_ready(process, server.is_ready, 60)
        with (
            psycopg.connect(server.dsn("referrals"), autocommit=True) as connection,
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        ):
            connection.execute("DELETE FROM outbox")
    finally:
        stop_together([process])
        ledger.forget_all()
