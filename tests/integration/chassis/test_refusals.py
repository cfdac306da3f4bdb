"""What does not start: each says why in its last line, and ends with status 2."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from kombu.connection import Connection

from services.chassis import refusals
from services.chassis.hosting import ground
from services.chassis.hosting.ground import Ground
from services.chassis.refusals import REFUSED, Refusal, require_migrations, require_topology
from tests.integration.chassis.slow_service import Slow
from tests.integration.chassis.test_through_the_broker import FOLLOWED, scene
from tests.integration.chassis.test_web_process import environment_of
from tests.support import Scene

__all__ = ["scene"]

SERVES = """
import sys
from services.chassis.hosting import web
from tests.integration.chassis.slow_service import Slow
{before}
raise SystemExit(web.serve(Slow))
"""
IN_C = "import psycopg; psycopg.waiting.wait = psycopg.waiting.wait_c"
IN_C_BY_ANOTHER_NAME = """
import psycopg
def wait_green(*arguments):
    return psycopg.waiting.wait_c(*arguments)
psycopg.waiting.wait = wait_green
"""


@pytest.fixture
def slow(database: Any) -> Iterator[Scene]:
    scene = Scene(Slow, database("matching"))
    yield scene
    scene.close()


def last_line_of(slow: Scene, before: str = "", **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SERVES.format(before=before)],
        env={**environment_of(slow.settings), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == REFUSED
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("before", [IN_C, IN_C_BY_ANOTHER_NAME])
def test_a_web_process_whose_waits_would_block_does_not_start(slow: Scene, before: str) -> None:
    assert "stops all others in a web process" in last_line_of(slow, before)


def test_a_process_whose_database_lacks_a_migration_does_not_start(slow: Scene) -> None:
    with psycopg.connect(slow.database.owner) as connection:
        connection.execute("DELETE FROM migrations WHERE name LIKE 'matching/%%'")

    line = last_line_of(slow)

    assert line.startswith("The database of matching lacks ")


def test_a_process_with_the_demos_issuer_does_not_start_outside_the_demo(slow: Scene) -> None:
    assert last_line_of(slow, KINDRED_DEMO="0").startswith("Wrong secrets: ")


def test_a_database_without_tables_is_refused(slow: Scene) -> None:
    with psycopg.connect(slow.database.owner) as connection:
        connection.execute("DROP TABLE migrations")

    with pytest.raises(Refusal, match="no tables"):
        require_migrations(slow.pool, "matching")


def test_a_broker_with_everything_is_taken(scene: Scene) -> None:
    require_topology(scene.settings, "matching", [FOLLOWED])


@pytest.mark.parametrize(
    ("service", "queue"), [("matching", "matching.unheard"), ("unheard", FOLLOWED)]
)
def test_a_broker_that_lacks_a_queue_or_an_exchange_is_refused(
    scene: Scene, service: str, queue: str
) -> None:
    with pytest.raises(Refusal, match="unheard"):
        require_topology(scene.settings, service, [queue])


def test_a_broker_that_cannot_confirm_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_connection(url: str, _name: str) -> Any:
        connection = Connection(url)
        connection.connect()
        connection.connection.server_properties["capabilities"]["publisher_confirms"] = False
        return connection

    monkeypatch.setattr(refusals, "open_connection", open_connection)

    with pytest.raises(Refusal, match="confirm"):
        require_topology(scene.settings, "matching", [])


def test_a_worker_ends_when_what_lacks_has_not_come_in_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ground, "PATIENCE_SECONDS", 0.0)
    ended: list[int] = []

    Ground(scene.pool, scene.settings, "matching", ["matching.unheard"], ended.append).check()

    assert ended == [REFUSED]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_broker_that_is_away_is_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    away = replace(scene.settings, broker="amqp://127.0.0.1:1//")
    waited = []

    def come_back(_seconds: float) -> None:
        waited.append(1)
        watched.settings = scene.settings

    monkeypatch.setattr("services.chassis.hosting.ground.time.sleep", come_back)
    ended: list[int] = []
    watched = Ground(scene.pool, away, "matching", [FOLLOWED], ended.append)

    watched.check()

    assert (waited, ended) == ([1], [])
