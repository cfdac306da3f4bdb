"""An event's body: what marshmallow would write, and never what it would not read."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import pytest
from marshmallow import Schema, fields, validate

from services.chassis.bodies import Body

PARCEL = UUID(int=7)
NOON = datetime(2027, 3, 9, 12, tzinfo=UTC)


class Kind(StrEnum):
    SMALL = "small"


@dataclass(frozen=True, kw_only=True)
class ParcelSent:
    type: ClassVar[str] = "parcel.sent.v1"
    subject: ClassVar[str] = "parcel_id"
    parcel_id: Any = PARCEL
    kind: Any = "small"
    count: Any = 1
    is_fragile: Any = True
    sent_at: Any = NOON
    room: Any = None


class ParcelSentSchema(Schema):
    parcel_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(Kind)))
    count = fields.Integer(required=True, validate=validate.Range(min=1))
    is_fragile = fields.Boolean(required=True)
    sent_at = fields.AwareDateTime(required=True)
    room = fields.String(required=True, allow_none=True, data_key="place")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"kind": Kind.SMALL},
        {"room": "Ängelholm"},
        {"parcel_id": str(PARCEL)},
        {"count": "2"},
        {"count": True},
    ],
)
def test_a_body_is_what_marshmallow_writes(changed: dict[str, Any]) -> None:
    event = replace(ParcelSent(), **changed)

    assert json.loads(Body(ParcelSentSchema()).of(event)) == ParcelSentSchema().dump(event)


@pytest.mark.parametrize(
    "changed",
    [
        {"parcel_id": None},
        {"kind": "large"},
        {"count": 0},
        {"count": None},
        {"is_fragile": "perhaps"},
        {"sent_at": datetime(2027, 3, 9, 15)},  # noqa: DTZ001  without a zone is what is wrong
    ],
)
def test_an_event_that_breaks_its_schema_is_refused_by_the_fields_name(
    changed: dict[str, Any],
) -> None:
    event = replace(ParcelSent(), **changed)

    with pytest.raises(TypeError, match=f"parcel.sent.v1 .*{next(iter(changed))}"):
        Body(ParcelSentSchema()).of(event)
