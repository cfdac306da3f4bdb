"""Policies that were put to use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class Policies:
    connection: Connection

    def lock_latest(self) -> int | None:
        """Its version, while nobody else puts another one to use."""
        self.connection.execute("LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE")
        row = self.connection.execute("SELECT max(version) AS version FROM policies").fetchone()
        return row["version"] if row else None

    def latest(self, below: int | None = None) -> int | None:
        query = """
            SELECT max(version) AS version
              FROM policies
             WHERE %(below)s::integer IS NULL OR version < %(below)s
        """
        row = self.connection.execute(query, {"below": below}).fetchone()
        return row["version"] if row else None

    def find(self, version: int) -> Row | None:
        query = "SELECT version, pack, signed_by, activated_at FROM policies WHERE version = %s"
        return self.connection.execute(query, (version,)).fetchone()

    def add(self, version: int, pack: str, signed_by: str, now: datetime) -> None:
        query = """
            INSERT INTO policies (version, pack, signed_by, activated_at) VALUES (%s, %s, %s, %s)
        """
        self.connection.execute(query, (version, pack, signed_by, now))
