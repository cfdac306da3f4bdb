"""PostgreSQL dies, restarts, stands still, is locked, full of connections, or only reads."""

import os
import signal
import time

import psycopg
import pytest

from tests.faults.post_office import FOLLOWED, PostOffice
from tests.faults.servers import Database
from tests.support import wait_for

OURS = "application_name LIKE 'matching.%'"


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT], ids=["immediate", "fast"])
def test_a_restarted_database_keeps_what_was_accepted_and_is_used_again(
    office: PostOffice, hurt_database: Database, number: int
) -> None:
    with office.load():
        time.sleep(0.5)
        hurt_database.end(number)
        assert office.command() == 503
        hurt_database.start()
        wait_for(lambda: office.command() == 204, seconds=20)

    office.settle()


def test_a_killed_backend_takes_all_others_along_and_nothing_is_lost(
    office: PostOffice, hurt_database: Database
) -> None:
    with office.load():
        time.sleep(0.3)
        query = f"SELECT pid FROM pg_stat_activity WHERE {OURS} LIMIT 1"  # noqa: S608
        ((pid,),) = hurt_database.run(query)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: office.command() == 204, seconds=20)

    office.settle()


def test_terminated_sessions_are_opened_again(office: PostOffice, hurt_database: Database) -> None:
    with office.load():
        for _ in range(3):
            time.sleep(0.3)
            query = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}"  # noqa: S608
            hurt_database.run(query)
        wait_for(lambda: office.command() == 204, seconds=20)

    office.settle()


def test_while_the_database_stands_still_a_request_is_answered_in_time_and_nothing_is_lost(
    office: PostOffice, hurt_database: Database
) -> None:
    office.send(1)
    office.settle()
    with hurt_database.stopped():
        asked = time.monotonic()
        assert office.command() == 503
        assert time.monotonic() - asked < 20

    wait_for(lambda: office.command() == 204, seconds=20)
    office.send(1, 2)
    office.settle()


def test_a_strangers_lock_is_not_waited_for_without_end(
    office: PostOffice, hurt_database: Database
) -> None:
    with psycopg.connect(office.scene.database.owner) as stranger:
        stranger.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        office.send(1, 2)
        asked = time.monotonic()
        assert office.command() == 503
        assert time.monotonic() - asked < 15

    office.settle()


def test_a_long_transaction_of_a_stranger_holds_up_nobody(
    office: PostOffice, hurt_database: Database
) -> None:
    with psycopg.connect(office.scene.database.owner) as stranger:
        stranger.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        stranger.execute("SELECT count(*) FROM outbox")
        for _ in range(20):
            office.send(*range(1, 11))
        office.settle()


def test_without_a_free_connection_requests_are_refused_and_then_answered_again(
    office: PostOffice, hurt_database: Database
) -> None:
    try:
        hurt_database.run(f"ALTER DATABASE {office.scene.database.name} CONNECTION LIMIT 0")
        query = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}"  # noqa: S608
        hurt_database.run(query)
        office.send(1, 2)
        assert office.command() == 503
    finally:
        hurt_database.run(f"ALTER DATABASE {office.scene.database.name} CONNECTION LIMIT -1")

    wait_for(lambda: office.command() == 204, seconds=20)
    office.settle()


def test_a_database_that_only_reads_has_nothing_acknowledged(
    office: PostOffice, hurt_database: Database
) -> None:
    with hurt_database.setting("default_transaction_read_only", "on"):
        office.send(1, 2)
        assert office.command() >= 500
        wait_for(lambda: "loop_fault" in office.log_since)
        wait_for(lambda: office.count(FOLLOWED) == 2)  # given back, unacknowledged
        assert not office.notes()

    office.settle()
