"""Parked events of every service, for an operator: listed, shown, replayed, discarded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from deploy.machine.running_system import RunningSystem
from deploy.topology import SERVICES
from services.chassis import deferred


class NotParked(Exception):
    """No parked event has this id."""


@dataclass(frozen=True)
class ParkedId:
    """A service and the number in its own table, written `matching-17`."""

    service: str
    number: int

    @classmethod
    def parse(cls, text: str) -> "ParkedId":
        service, _, number = text.partition("-")
        if service not in SERVICES or not number.isdigit():
            raise NotParked(f"{text} is not like matching-17")
        return cls(service, int(number))

    def __str__(self) -> str:
        return f"{self.service}-{self.number}"


@dataclass(frozen=True)
class Parked:
    system: RunningSystem
    by: str

    def all(self) -> Iterator[dict[str, Any]]:
        for service in SERVICES:
            with self._database(service) as connection:
                for row in deferred.list_parked(connection):
                    yield {**row, "id": str(ParkedId(service, row["id"]))}

    def show(self, parked: ParkedId) -> dict[str, Any]:
        with self._database(parked.service) as connection:
            found = deferred.show_parked(connection, parked.number)
        if found is None:
            raise NotParked(f"{parked} is not parked")
        return {**found, "id": str(parked)}

    def replay(self, parked: ParkedId) -> None:
        with self._database(parked.service) as connection:
            now = datetime.now(UTC)
            if not deferred.replay(connection, parked.number, by=self.by, now=now):
                raise NotParked(f"{parked} is not parked")

    def discard(self, parked: ParkedId) -> None:
        with self._database(parked.service) as connection:
            now = datetime.now(UTC)
            if not deferred.discard(connection, parked.number, by=self.by, now=now):
                raise NotParked(f"{parked} is not parked")

    @contextmanager
    def _database(self, service: str) -> Iterator[psycopg.Connection[DictRow]]:
        """As the service's own role: an operator of events has no more rights than it."""
        secret = self.system.secret(f"service {service}")
        dsn = self.system.database_dsn(service, service, secret)
        with psycopg.connect(dsn, row_factory=dict_row) as connection:
            yield connection
