"""What scheduling answers to other services."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.scheduling.schemas.wire import Moment


class SessionIdsSchema(Schema):
    ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=200))


class ToldSessionSchema(Schema):
    session_id = fields.UUID(required=True, attribute="id")
    state = fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    time_zone = fields.String(required=True)
    revision = fields.Integer(required=True)
    mode = fields.String(required=True)
    place = fields.String(required=True, allow_none=True)


class ToldSessionsSchema(Schema):
    sessions = fields.List(fields.Nested(ToldSessionSchema), required=True)


class LinkForSchema(Schema):
    """To a session, or with a match to the question of its peer's time away."""

    session_id = fields.UUID(load_default=None)
    match_id = fields.UUID(load_default=None)
    person_id = fields.UUID(required=True)
    language = fields.String(load_default="en")

    @validates_schema
    def check_subject(self, data: dict[str, Any], **_: Any) -> None:
        if (data["session_id"] is None) == (data["match_id"] is None):
            raise ValidationError("Either this or match_id.", field_name="session_id")


class LinkPathSchema(Schema):
    path = fields.String(required=True)
