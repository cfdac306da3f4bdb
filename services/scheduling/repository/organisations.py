"""The organisations that events told of, as far as rooms need them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.database import Connection


@dataclass(frozen=True)
class Organisations:
    connection: Connection

    def among(self, ids: list[UUID]) -> list[dict[str, Any]]:
        query = "SELECT id, kind, time_zone FROM organisations WHERE id = ANY (%s) ORDER BY id"
        return self.connection.execute(query, (ids,)).fetchall()
