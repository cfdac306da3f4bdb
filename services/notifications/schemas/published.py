"""How notifications writes its own events."""

from marshmallow import Schema, fields

from services.notifications.events import (
    NotificationDelivered,
    NotificationNeedsStaff,
    NotificationUndeliverable,
    NotificationWithheld,
    PreferenceChanged,
)


class MessageFateSchema(Schema):
    message_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    recipient = fields.String(required=True)
    recipient_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True, allow_none=True)
    session_id = fields.UUID(required=True, allow_none=True)


class NotificationDeliveredSchema(MessageFateSchema):
    channel = fields.String(required=True)
    delivered_at = fields.AwareDateTime(required=True)
    repeats = fields.Integer(required=True)


class NotificationWithheldSchema(MessageFateSchema):
    reason = fields.String(required=True)


class NotificationUndeliverableSchema(MessageFateSchema):
    reason = fields.String(required=True)


class NotificationNeedsStaffSchema(MessageFateSchema):
    channel = fields.String(required=True)


class PreferenceChangedSchema(Schema):
    person_id = fields.UUID(required=True)


PUBLISHED: dict[type, type[Schema]] = {
    NotificationDelivered: NotificationDeliveredSchema,
    NotificationWithheld: NotificationWithheldSchema,
    NotificationUndeliverable: NotificationUndeliverableSchema,
    NotificationNeedsStaff: NotificationNeedsStaffSchema,
    PreferenceChanged: PreferenceChangedSchema,
}
