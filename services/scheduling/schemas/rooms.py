"""Rooms on the wire."""

from marshmallow import Schema, fields, validate

from services.scheduling.schemas.wire import known_zone


class RoomBodySchema(Schema):
    organisation_id = fields.UUID()
    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    area = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    time_zone = fields.String(validate=known_zone)
    step_free = fields.Boolean(load_default=False)


class RoomSchema(Schema):
    id = fields.UUID(required=True)
    organisation_id = fields.UUID(required=True, attribute="peer_organisation_id")
    name = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)
    time_zone = fields.String(required=True)
    step_free = fields.Boolean(required=True)
