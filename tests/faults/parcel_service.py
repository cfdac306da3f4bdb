"""A small service that follows `parcel.*`, and takes parcels in over HTTP; it notes each.

Its handlers do what a parcel's number tells them. `host` runs it in real processes.
"""

import os
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields

from services.chassis.http.request import Answer, Request
from services.chassis.roles import OPERATOR
from services.chassis.service import Service, consumes, route
from services.chassis.work import Work
from tests.chaos import crash_points

HEARTBEAT = "PARCELS_HEARTBEAT_SECONDS"  # `host` reads it from its environment
RAISES, ENDS_THE_PROCESS, IS_SLOW, HANGS, BLOCKS = 13, 14, 15, 16, 17


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


def take_in(request: Request, work: Work) -> Answer:
    """A command: its note leaves if it was accepted."""
    note_id = request.body["note_id"]
    work.emit(ParcelNoted(note_id=note_id, number=request.body["number"]), org=None)
    if request.body["number"] == BLOCKS:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            pass
    return Answer()


class Parcels(Service):
    name = "matching"
    publishes: ClassVar = {ParcelNoted: NotedSchema}

    note_sent = consumes("parcel.sent.v1", source="post", schema=ParcelSchema, handler=note)
    take_in = route(
        "POST", "/parcels", roles={OPERATOR}, status=204, body=NotedSchema, handler=take_in
    )
