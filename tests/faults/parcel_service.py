"""A small service whose handler does what a parcel's number tells it, hosted in a real worker.

It follows `parcel.*` and notes every parcel by an event of its own.
"""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields

from services.chassis.service import Service, consumes
from services.chassis.work import Work
from tests.chaos import crash_points

RAISES, ENDS_THE_PROCESS, IS_SLOW, HANGS = 13, 14, 15, 16


@dataclass(frozen=True, kw_only=True)
class ParcelNoted:
    type: ClassVar[str] = "note.taken.v1"
    subject: ClassVar[str] = "note_id"
    note_id: UUID
    number: int


class NotedSchema(Schema):
    note_id = fields.UUID(required=True)
    number = fields.Integer(required=True)


class ParcelSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    number = fields.Integer(required=True)


def note(event: dict[str, Any], work: Work) -> None:
    assert work.received is not None
    work.emit(ParcelNoted(note_id=work.received.subject, number=event["number"]), org=None)
    match event["number"]:
        case number if number == RAISES:
            raise RuntimeError
        case number if number == ENDS_THE_PROCESS:
            os._exit(crash_points.STATUS)
        case number if number == IS_SLOW:
            time.sleep(0.3)
        case number if number == HANGS:
            time.sleep(3600)


class Parcels(Service):
    name = "matching"
    publishes: ClassVar = {ParcelNoted: NotedSchema}

    note_sent = consumes("parcel.sent.v1", source="post", schema=ParcelSchema, handler=note)


if __name__ == "__main__":
    from services.chassis.hosting import worker

    worker.service_named = lambda name: Parcels  # type: ignore[attr-defined]
    sys.exit(crash_points.main("worker", Parcels.name))
