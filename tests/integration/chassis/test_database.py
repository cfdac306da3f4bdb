"""The pool after an outage, and transactions that only seem to end well."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg_pool import PoolTimeout

from deploy.machine.postgres import PrivatePostgres
from services.chassis.database import Database
from tests.support import TestDatabase


def answers(database: Database) -> bool:
    try:
        with database.transaction() as connection:
            return connection.execute("SELECT 1 AS one").fetchone() == {"one": 1}
    except PoolTimeout:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    return tmp_path


def test_a_pool_does_not_wait_on_after_a_long_outage_has_ended(folder: Path) -> None:
    server = PrivatePostgres(folder).start()
    database = Database(server.dsn, name="test", pool_size=4)
    database.open()
    assert answers(database)

    server.stop()
    # Long enough for the pauses of a pool that doubles them for ever to grow past ten seconds.
    outage_ends = time.monotonic() + 18
    while time.monotonic() < outage_ends:
        assert not answers(database)
    server.start()

    assert answers(database)
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    database.close()
    server.stop()


def test_a_server_that_takes_no_writes_counts_as_away(
    database: Callable[[str], TestDatabase],
) -> None:
    made = database("matching")
    with psycopg.connect(made.owner, autocommit=True) as owner:
        setting = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on")
        owner.execute(setting.format(sql.Identifier(made.name)))
    reading = Database(made.service, name="test", pool_size=1)
    reading.open()

    with pytest.raises(psycopg.OperationalError), reading.transaction() as connection:
        connection.execute("INSERT INTO inbox (consumer, event_id) VALUES ('a', gen_random_uuid())")

    reading.close()


@pytest.fixture
def matching(database: Callable[[str], TestDatabase]) -> Iterator[Database]:
    opened = Database(database("matching").service, name="test", pool_size=1)
    opened.open()
    yield opened
    opened.close()


def pass_over_a_failure(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("CREATE TEMPORARY TABLE kept (id integer)")
        with suppress(psycopg.Error):
            connection.execute("SELECT 1 / 0")


def test_a_transaction_in_which_a_failed_statement_was_passed_over_does_not_end_well(
    matching: Database,
) -> None:
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        pass_over_a_failure(matching)


def test_what_is_no_uuid_cannot_be_acted_for(matching: Database) -> None:
    organisation = "'}, false); SET kindred.orgs = '{}'; --"

    with (
        pytest.raises(AttributeError),
        matching.transaction([organisation]),  # type: ignore[list-item]
    ):
        pass
