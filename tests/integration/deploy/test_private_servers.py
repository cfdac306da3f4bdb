"""The private servers: silent about values, on loopback only, and deaf to strangers."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import amqp
import psycopg
import pytest

from deploy.machine.ledger import Ledger
from deploy.machine.ports import FreePorts
from deploy.machine.postgres import PostgresServer, PrivatePostgres, binaries
from deploy.machine.processes import Identity, stop_together, wait_until_ready
from deploy.machine.rabbitmq import PrivateRabbit
from deploy.machine.rabbitmq_definitions import VHOST, definitions
from deploy.machine.run_folder import read_json
from deploy.machine.unprivileged import unprivileged
from tests.support import wait_for

CANARY = "canary-4f1d"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


def test_postgres_logs_neither_statements_nor_values_that_went_wrong(folder: Path) -> None:
    server = PrivatePostgres(folder / "silent").start()

    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (note text PRIMARY KEY)")
        connection.execute("INSERT INTO notes VALUES (%s)", (CANARY,))
        for statement in (
            "INSERT INTO notes VALUES (%s)",
            "SELECT %s::integer",
            f"SELECT '{CANARY}' FROM %s nowhere",  # noqa: S608
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, (CANARY,))
        with pytest.raises(psycopg.Error):
            connection.execute(f"DO $$ BEGIN RAISE WARNING '{CANARY}'; RAISE '{CANARY}'; END $$")
    server.stop()

    assert CANARY not in server.log.read_text()


def test_postgres_archives_its_log_without_a_hole_once_the_folder_was_there(folder: Path) -> None:
    run, archive = folder / "archiving", folder / "50% of 'it'" / "log"
    run.mkdir()
    server = PostgresServer(run, run / "log", FreePorts().take(), "secret", archive=archive)
    server.prepare()
    ledger = Ledger(run / "processes.json")
    process = ledger.start(server.program())
    wait_until_ready(process, server.is_ready, 60)

    def a_segment() -> str:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (); DROP TABLE t")
            row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            assert row
            return str(row[0])

    def last_taken() -> str | None:
        with psycopg.connect(server.dsn()) as connection:
            row = connection.execute("SELECT last_archived_wal FROM pg_stat_archiver").fetchone()
            return str(row[0]) if row else None

    def last_failed() -> str | None:
        with psycopg.connect(server.dsn()) as connection:
            row = connection.execute("SELECT last_failed_wal FROM pg_stat_archiver").fetchone()
            return str(row[0]) if row else None

    # The archiver looks again after a minute, where it was not woken in time.
    patience = 75
    try:
        too_early = a_segment()
        wait_for(lambda: last_taken() == too_early, seconds=patience)
        archive.mkdir(parents=True)
        unprivileged().own(archive)
        name = a_segment()
        wait_for((archive / name).exists, seconds=patience)
        assert not (archive / too_early).exists()
        assert (archive / name).stat().st_size == 16 * 2**20
        away = archive.rename(archive.with_name("away"))
        kept = a_segment()
        wait_for(lambda: last_failed() == kept, seconds=patience)
        away.rename(archive)
        wait_for((archive / kept).exists, seconds=90)
    finally:
        stop_together([process])


def test_postgres_ends_on_sigterm_while_a_client_is_connected(folder: Path) -> None:
    server = PrivatePostgres(folder / "asked").start()

    with psycopg.connect(server.dsn):
        server.stop()

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn)


def test_postgres_shuts_down_in_good_order_however_often_it_is_asked(folder: Path) -> None:
    server = PrivatePostgres(folder / "nagged").start()
    entry = read_json(server.ledger.path)["postgres"]
    shell = Identity(entry["pid"], entry["started"])

    while shell.is_alive:
        shell.send(signal.SIGTERM)
        time.sleep(0.001)

    control = [binaries() / "pg_controldata", folder / "nagged" / "data"]
    told = subprocess.run(control, capture_output=True, text=True, check=True).stdout
    assert re.search(r"Database cluster state: +shut down$", told, re.MULTILINE)
    server.stop()


def test_a_socket_path_that_is_too_long_leaves_tcp_only(folder: Path) -> None:
    deep = folder / ("d" * 100)
    deep.mkdir()

    server = PrivatePostgres(deep).start()

    assert list(deep.glob(".s.PGSQL*")) == []
    psycopg.connect(server.dsn).close()
    server.stop()


def test_a_second_start_ends_what_the_first_left_and_keeps_the_data(folder: Path) -> None:
    left = PrivatePostgres(folder / "again").start()
    with psycopg.connect(left.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE kept")

    again = PrivatePostgres(folder / "again").start()

    with psycopg.connect(again.dsn) as connection:
        query = "SELECT FROM pg_database WHERE datname = 'kept'"
        assert connection.execute(query).fetchone() is not None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(left.dsn)
    again.stop()
    left.stop()


def test_durable_servers_wait_for_the_disk(folder: Path) -> None:
    server = PostgresServer(folder / "durable", folder / "durable.log", 10000, "secret")

    server.prepare()

    text = (server.data / "kindred.conf").read_text()
    assert "fsync = 'on'" in text
    assert "synchronous_commit = 'on'" in text


@pytest.fixture(scope="module")
def rabbit(folder: Path) -> Iterator[PrivateRabbit]:
    services = {"referrals": "r-secret", "matching": "m-secret"}
    topology = {
        "exchanges": ["referrals.events", "matching.events"],
        "queues": {"matching.referral": {"x-queue-type": "quorum"}},
        "bindings": [
            {
                "exchange": "referrals.events",
                "queue": "matching.referral",
                "routing_key": "referral.#",
            }
        ],
    }
    home = folder / "rabbit"
    password = PrivateRabbit(home).password
    server = PrivateRabbit(home, loaded=definitions(password, services, topology)).start()
    yield server
    server.stop()


@contextmanager
def channel_of(rabbit: PrivateRabbit, user: str, password: str) -> Iterator[amqp.Channel]:
    with amqp.Connection(
        host=rabbit.address, userid=user, password=password, virtual_host=VHOST
    ) as connection:
        yield connection.channel()


def test_a_service_publishes_to_its_exchange_and_another_reads_it(rabbit: PrivateRabbit) -> None:
    with channel_of(rabbit, "referrals", "r-secret") as sender:
        sender.confirm_select()
        message = amqp.Message("{}")
        sender.basic_publish_confirm(
            message, "referrals.events", "referral.submitted.v1", mandatory=True
        )

    with channel_of(rabbit, "matching", "m-secret") as reader:
        queue = reader.queue_declare("matching.referral", passive=True)

    assert queue.message_count == 1


@pytest.mark.parametrize("exchange", ["matching.events", "amq.topic", ""])
def test_a_service_cannot_publish_elsewhere(rabbit: PrivateRabbit, exchange: str) -> None:
    with channel_of(rabbit, "referrals", "r-secret") as channel:
        channel.confirm_select()

        with pytest.raises(amqp.AccessRefused):
            channel.basic_publish_confirm(amqp.Message("{}"), exchange, "match.ended.v1")


def test_a_service_cannot_read_anothers_queue(rabbit: PrivateRabbit) -> None:
    with (
        channel_of(rabbit, "referrals", "r-secret") as channel,
        pytest.raises(amqp.AccessRefused),
    ):
        channel.basic_consume("matching.referral")


def test_a_service_declares_nothing(rabbit: PrivateRabbit) -> None:
    with (
        channel_of(rabbit, "matching", "m-secret") as channel,
        pytest.raises(amqp.AccessRefused),
    ):
        channel.queue_declare("matching.more")


def test_a_service_may_ask_whether_its_exchange_and_queue_are_there(rabbit: PrivateRabbit) -> None:
    with channel_of(rabbit, "matching", "m-secret") as channel:
        channel.exchange_declare("matching.events", "topic", passive=True)

        assert channel.queue_declare("matching.referral", passive=True).queue


def test_guest_is_refused(rabbit: PrivateRabbit) -> None:
    with pytest.raises(amqp.AccessRefused), channel_of(rabbit, "guest", "guest"):
        pass


def listeners() -> dict[int, set[str]]:
    """Who listens on this machine, by port, as the kernel writes addresses (proc(5), net/tcp)."""
    found: dict[int, set[str]] = {}
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            local, state = line.split()[1], line.split()[3]
            address, port = local.split(":")
            if state == "0A":
                found.setdefault(int(port, 16), set()).add(address)
    return found


def test_every_port_of_the_broker_is_on_loopback(rabbit: PrivateRabbit) -> None:
    loopback = {"0100007F", "00000000000000000000000001000000"}

    for port in rabbit.ports:
        assert listeners()[port] <= loopback
