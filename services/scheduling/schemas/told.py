"""What scheduling answers to other services."""

from marshmallow import Schema, fields, validate

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
    session_id = fields.UUID(required=True)
    person_id = fields.UUID(required=True)
    language = fields.String(load_default="en")


class LinkPathSchema(Schema):
    path = fields.String(required=True)
