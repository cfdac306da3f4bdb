"""What a service has told, kept outside its database: an event is on disk before it is published.

A restored database has forgotten what was told after its moment; the journal has not. Events
hold identifiers, states and times only, and so does a line of it.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

Row = Mapping[str, Any]

_IDS = ("event_id", "aggregate_id", "org_id", "clinic_org_id")
_PLAIN = ("type", "versions", "aggregate", "epoch", "sequence", "traceparent")
_ENDING = ".jsonl"


@dataclass(frozen=True)
class Journal:
    """One service's journal, a file a day."""

    folder: Path

    @classmethod
    def of(cls, root: Path, service: str) -> "Journal":
        return cls(root / service)

    def write(self, rows: Sequence[Row]) -> None:
        """Append outbox rows and return when the disk has them; raises when it cannot take them."""
        if not rows:
            return
        path = self._file_of(datetime.now(UTC).date())
        lines = "".join(_line(row) + "\n" for row in rows)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            is_new = (size := os.fstat(descriptor).st_size) == 0
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                lines = "\n" + lines  # what was torn off must not spoil what follows
            _write_all(descriptor, lines.encode())
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_folder(path.parent)

    def read(self, since: date | None = None) -> Iterator[dict[str, Any]]:
        """Every event once in each of its versions, in the order told; a torn line is no event.

        `since` is the first day to read.
        """
        seen: set[tuple[UUID, str]] = set()
        first = f"{since}{_ENDING}" if since else ""
        for path in sorted(self.folder.glob(f"*{_ENDING}")):
            if path.name < first:
                continue
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    row = _row(line)
                    if row is not None and (row["event_id"], row["type"]) not in seen:
                        seen.add((row["event_id"], row["type"]))
                        yield row

    def forget(self, days: int, today: date) -> int:
        """Remove the files of days whose sent events are forgotten as well."""
        oldest = f"{today - timedelta(days=days + 1)}{_ENDING}"
        old = [path for path in self.folder.glob(f"*{_ENDING}") if path.name < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _file_of(self, day: date) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{day}{_ENDING}"


def _line(row: Row) -> str:
    facts = {name: row[name] for name in _PLAIN}
    facts |= {name: str(row[name]) for name in _IDS if row[name] is not None}
    facts["occurred_at"] = row["occurred_at"].isoformat()
    facts["body"] = bytes(row["body"]).decode()
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=False)


def _row(line: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(line)
        ids = {name: UUID(facts[name]) if facts.get(name) else None for name in _IDS}
        occurred_at = datetime.fromisoformat(facts["occurred_at"])
        body = facts["body"].encode()
        return (
            {name: facts[name] for name in _PLAIN}
            | ids
            | {
                "occurred_at": occurred_at,
                "body": body,
            }
        )
    except (ValueError, KeyError, TypeError):
        return None


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
