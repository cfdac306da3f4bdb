"""A relay that is stopped loses the lead to the next one, and moves nothing when it wakes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from services.chassis import leadership
from services.chassis.database import connect
from services.chassis.leadership import Leadership
from services.chassis.relay import Relay
from tests.integration.chassis.test_through_the_broker import Running, emit, scene, sent
from tests.integration.chassis.test_web_process import environment_of
from tests.support import Scene, wait_for

__all__ = ["scene"]

SCRIPT = """
from services.chassis.relay import Relay
from services.chassis.settings import Settings
Relay("matching", Settings.from_environment()).run(lambda: False)
"""


@contextmanager
def relay_process(scene: Scene) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env=environment_of(scene.settings),
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def session(database: Any) -> Iterator[psycopg.Connection[Any]]:
    made = database("matching")
    with connect(made.service, "one", autocommit=True) as one:
        yield one


def test_a_stopped_leader_is_fenced_and_moves_nothing_when_it_wakes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "SILENCE_SECONDS", 2.0)
    with relay_process(scene) as stopped:
        emit(scene, uuid4(), 1)
        wait_for(lambda: sent(scene) == 1, seconds=30)
        stopped.send_signal(signal.SIGSTOP)

        with Running(Relay("matching", scene.settings)):
            emit(scene, uuid4(), 1, 2, 3)
            wait_for(lambda: sent(scene) == 4, seconds=20)
        emit(scene, uuid4(), 1)
        stopped.send_signal(signal.SIGCONT)

        assert stopped.wait(20) != 0
        assert sent(scene) == 4


def test_a_leader_at_work_is_not_fenced(session: Any, database: Any) -> None:
    leader = Leadership(session)
    assert leader.take()

    with connect(session.info.dsn + " password=test", "two", autocommit=True) as other:
        standby = Leadership(other)
        assert not standby.take()
        assert not standby.fence_silent()

    assert session.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_only_the_holder_of_the_heartbeat_is_fenced(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "SILENCE_SECONDS", -1.0)
    leader = Leadership(session)
    leader.take()

    with connect(session.info.dsn + " password=test", "two", autocommit=True) as other:
        other.execute("UPDATE relay_heartbeats SET backend_pid = pg_backend_pid()")
        assert not Leadership(other).fence_silent()
        other.execute("UPDATE relay_heartbeats SET backend_pid = %s", (session.info.backend_pid,))
        assert Leadership(other).fence_silent()

    with pytest.raises(psycopg.OperationalError):
        leader.take()


def test_a_leader_says_that_it_is_at_work(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "BEAT_SECONDS", 0.0)
    leader = Leadership(session)
    leader.take()
    query = "SELECT beat_at FROM relay_heartbeats"
    before = session.execute(query).fetchone()

    leader.beat()

    assert session.execute(query).fetchone()["beat_at"] > before["beat_at"]
