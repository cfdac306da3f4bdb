"""The journal of what was told, on a real disk."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from services.chassis.journal import Journal


def a_row(sequence: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": uuid4(),
        "type": "referral.withdrawn.v1",
        "versions": None,
        "aggregate": "referral",
        "aggregate_id": uuid4(),
        "epoch": 1,
        "sequence": sequence,
        "org_id": uuid4(),
        "clinic_org_id": None,
        "traceparent": None,
        "occurred_at": datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC),
        "body": b'{"by":"client"}',
        **changes,
    }


def test_what_was_written_is_read_again_as_it_was(tmp_path: Path) -> None:
    rows = [a_row(1), a_row(2, org_id=None, traceparent="00-1-2-01")]
    journal = Journal.of(tmp_path, "referrals")
    journal.write(rows)
    assert list(journal.read()) == rows


def test_an_event_that_was_told_twice_is_read_once(tmp_path: Path) -> None:
    row = a_row()
    journal = Journal.of(tmp_path, "referrals")
    journal.write([row])
    journal.write([row, a_row()])
    assert len(list(journal.read())) == 2


def test_a_line_torn_by_a_crash_loses_none_after_it(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, "referrals")
    journal.write([a_row()])
    [file] = journal.folder.iterdir()
    with file.open("a") as lines:
        lines.write('{"event_id":"6f')
    later = a_row()
    journal.write([later])
    assert [row["event_id"] for row in journal.read()][1:] == [later["event_id"]]


def test_only_days_beyond_the_horizon_are_forgotten(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, "referrals")
    today = date(2026, 11, 25)
    for age in (0, 35, 36, 37):
        journal.folder.mkdir(exist_ok=True)
        (journal.folder / f"{today - timedelta(days=age)}.jsonl").touch()
    assert journal.forget(35, today) == 1
    assert len(list(journal.folder.iterdir())) == 3


def test_nobody_else_may_read_a_journal(tmp_path: Path) -> None:
    journal = Journal.of(tmp_path, "referrals")
    journal.write([a_row()])
    [file] = journal.folder.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert journal.folder.stat().st_mode & 0o077 == 0
