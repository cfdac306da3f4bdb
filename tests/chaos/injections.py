"""Messages published on purpose, and a line for each that a consumer has to set aside."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import UUID

import amqp

from tests.chaos.evidence import Row

JSON = "application/json"


@dataclass(frozen=True)
class Injections:
    path: Path

    def note_body(self, body: bytes) -> None:
        self._note(body_hash=hashlib.sha256(body).hexdigest())

    def note_event(self, event_id: UUID, aggregate_id: UUID) -> None:
        self._note(event_id=str(event_id), aggregate_id=str(aggregate_id))

    def aggregates(self) -> list[UUID]:
        """The aggregates that were made up."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        told = (json.loads(line).get("aggregate_id") for line in lines)
        return [UUID(aggregate_id) for aggregate_id in told if aggregate_id]

    def _note(self, **line: str) -> None:
        """Written before the message leaves: what is known of it must never come too late."""
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def event_message(producer: str, row: Row) -> amqp.Message:
    """A row of an outbox as its producer would publish it."""
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(row["event_id"]),
        "cloudEvents:source": f"/{producer}/epochs/{row['epoch']}",
        "cloudEvents:type": row["type"],
        "cloudEvents:time": row["occurred_at"].astimezone(UTC).isoformat(),
        "cloudEvents:subject": str(row["aggregate_id"]),
        "cloudEvents:sequence": str(row["sequence"]),
    }
    for name in ("org", "clinicorg"):
        column = {"org": "org_id", "clinicorg": "clinic_org_id"}[name]
        if row[column] is not None:
            headers[f"cloudEvents:{name}"] = str(row[column])
    return plain_message(bytes(row["body"]), headers, message_id=str(row["event_id"]))


def plain_message(
    body: bytes, headers: dict[str, Any], *, content_type: str = JSON, message_id: str = ""
) -> amqp.Message:
    return amqp.Message(
        body,
        content_type=content_type,
        delivery_mode=2,
        message_id=message_id,
        application_headers=headers,
    )
