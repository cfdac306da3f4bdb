"""Peers' time away on the wire."""

from marshmallow import Schema, fields

from services.scheduling.domain.leave import State, Wish
from services.scheduling.schemas.wire import Moment

_FOR_STAFF = {"description": "For staff; a client sees their own, the peer none"}


class LeaveBodySchema(Schema):
    """Whole days by the clock of the peer's zone, the last one included."""

    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)


class LeaveAnswerSchema(Schema):
    match_id = fields.UUID(required=True)
    wish = fields.Enum(Wish, by_value=True, required=True)


class CoverSchema(Schema):
    peer_id = fields.UUID(required=True)


class QuestionSchema(Schema):
    id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    session_ids = fields.List(fields.UUID(), required=True)
    wish = fields.Enum(Wish, by_value=True, required=True, allow_none=True)
    told_by = fields.String(required=True, allow_none=True)


class LeaveSchema(Schema):
    id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    time_zone = fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    asked = fields.Integer(required=True)
    answered = fields.Integer(required=True)
    questions = fields.List(fields.Nested(QuestionSchema), required=True, metadata=_FOR_STAFF)
