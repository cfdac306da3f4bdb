"""Times and sessions on the wire."""

from marshmallow import Schema, fields, validate

from services.chassis.cursors import PageSchema
from services.scheduling.domain import policy
from services.scheduling.domain.sessions import MODES, OUTCOMES, Cause, State
from services.scheduling.schemas.wire import Moment, WallTime

_LENGTH = validate.Range(policy.SHORTEST_MINUTES, policy.LONGEST_MINUTES)
# What a person can be the cause of; the other causes come by events.
_PERSONAL_CAUSES = (Cause.CLIENT, Cause.PEER, Cause.COORDINATOR, Cause.CLINIC)
_NOT_TO_CLINICS = {"description": "Not to clinics"}
_NOT_FOR_CLINICS = {"description": "Not for clinics, who are shown no times"}


class TimesQuerySchema(Schema):
    from_ = Moment(data_key="from")
    to = Moment()
    minutes = fields.Integer(load_default=policy.DEFAULT_MINUTES, validate=_LENGTH)
    room_id = fields.UUID(load_default=None)


class TimeSchema(Schema):
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    wall_starts_at = WallTime(required=True)


class TimesSchema(Schema):
    match_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)
    minutes = fields.Integer(required=True)
    items = fields.List(fields.Nested(TimeSchema), required=True)


class BookingSchema(Schema):
    match_id = fields.UUID(required=True)
    starts_at = Moment(required=True)
    minutes = fields.Integer(strict=True, load_default=policy.DEFAULT_MINUTES, validate=_LENGTH)
    mode = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(MODES))
    room_id = fields.UUID(load_default=None, allow_none=True)
    outside_availability = fields.Boolean(load_default=False)
    existing = fields.Boolean(
        load_default=False,
        metadata={"description": "Both know of it from before Kindred; they are only reminded"},
    )


class RescheduleSchema(Schema):
    starts_at = Moment(required=True)
    minutes = fields.Integer(strict=True, validate=_LENGTH)
    room_id = fields.UUID(allow_none=True)
    outside_availability = fields.Boolean(load_default=False)


class CancelSchema(Schema):
    cause = fields.String(validate=validate.OneOf([str(cause) for cause in _PERSONAL_CAUSES]))


class OutcomeSchema(Schema):
    outcome = fields.String(
        required=True, validate=validate.OneOf([str(outcome) for outcome in OUTCOMES])
    )


class SessionSchema(Schema):
    """A clinic is shown ids and the state only: no time, peer, place or cause."""

    id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(state) for state in State]))
    starts_at = Moment(metadata=_NOT_TO_CLINICS)
    ends_at = Moment(metadata=_NOT_TO_CLINICS)
    wall_starts_at = WallTime()
    time_zone = fields.String(metadata=_NOT_TO_CLINICS)
    revision = fields.Integer(metadata=_NOT_TO_CLINICS)
    peer_id = fields.UUID()
    peer_organisation_id = fields.UUID()
    mode = fields.String()
    room_id = fields.UUID(allow_none=True)
    place = fields.String(allow_none=True)
    cause = fields.String(allow_none=True)


class SessionsQuerySchema(PageSchema):
    match_id = fields.UUID(load_default=None)
    person = fields.UUID(load_default=None)
    from_ = Moment(data_key="from", load_default=None, metadata=_NOT_FOR_CLINICS)
    to = Moment(load_default=None, metadata=_NOT_FOR_CLINICS)
