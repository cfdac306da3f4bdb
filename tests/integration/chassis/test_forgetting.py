"""What is past its horizon goes, all of it; everything else stays."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from services.chassis import forgetting
from services.chassis.forgetting import ForgettingLoop
from tests.integration.chassis.test_consumer import Parcels
from tests.support import Scene

SENT = """
    INSERT INTO outbox_sent (event_id, type, aggregate, aggregate_id, epoch, sequence, occurred_at,
                             body, sent_at)
    SELECT gen_random_uuid(), 'note.taken.v1', 'note', gen_random_uuid(), 1, 1, now(), '',
           now() - %s * interval '1 day'
      FROM generate_series(1, %s)
"""
RECEIVED = """
    INSERT INTO inbox (consumer, event_id, received_at)
    SELECT 'matching.parcel', gen_random_uuid(), now() - %s * interval '1 day'
      FROM generate_series(1, %s)
"""
CLOSED = """
    INSERT INTO deferred (consumer, event_id, headers, body, state, reason, not_before,
                          deferred_at, decided_at)
    SELECT 'matching.parcel', gen_random_uuid(), '{{}}', '', '{state}', 'one', now(), now(),
           now() - %s * interval '1 day'
      FROM generate_series(1, %s)
"""


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    scene = Scene(Parcels, database("matching"))
    yield scene
    scene.close()


def store(scene: Scene, statement: str, *, days: int, count: int) -> None:
    with psycopg.connect(scene.database.owner) as connection:
        connection.execute(statement.encode(), (days, count))


def forget(scene: Scene) -> None:
    done = threading.Event()
    ForgettingLoop(scene.workplace).run(done.is_set, lambda _seconds: done.set())


def count(scene: Scene, table: str) -> int:
    return len(scene.rows(f"TABLE {table}"))


@pytest.mark.parametrize(
    ("table", "statement", "horizon"),
    [
        ("outbox_sent", SENT, 35),
        ("inbox", RECEIVED, 3 * 35),
        ("deferred", CLOSED.format(state="superseded"), 35),
        ("deferred", CLOSED.format(state="discarded"), 35),
    ],
)
def test_all_that_is_past_its_horizon_goes_in_several_batches(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, table: str, statement: str, horizon: int
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 10)
    store(scene, statement, days=horizon + 1, count=35)
    store(scene, statement, days=horizon - 1, count=3)

    forget(scene)

    assert count(scene, table) == 3


@pytest.mark.parametrize("state", ["waiting", "parked"])
def test_what_still_waits_for_its_turn_or_for_somebody_stays(scene: Scene, state: str) -> None:
    store(scene, CLOSED.format(state=state), days=1000, count=2)

    forget(scene)

    assert count(scene, "deferred") == 2


def test_two_replicas_at_it_do_not_wait_for_each_other(scene: Scene) -> None:
    store(scene, SENT, days=1000, count=5)
    with psycopg.connect(scene.database.owner) as connection:
        connection.execute("SELECT 1 FROM outbox_sent LIMIT 2 FOR UPDATE")

        forget(scene)

        assert count(scene, "outbox_sent") == 2


def test_a_journal_is_forgotten_as_late_as_what_was_sent(scene: Scene, tmp_path: Path) -> None:
    scene.workplace.settings = replace(scene.settings, journal=tmp_path)
    days = [(datetime.now(UTC) - timedelta(days=age)).date() for age in (1, 40)]
    (tmp_path / "matching").mkdir()
    for day in days:
        (tmp_path / "matching" / f"{day}.jsonl").touch()

    forget(scene)

    assert [path.stem for path in (tmp_path / "matching").iterdir()] == [str(days[0])]
