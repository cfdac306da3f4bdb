"""The events scheduling publishes, as they leave."""

from marshmallow import Schema, fields, validate

from services.scheduling import events
from services.scheduling.domain.contacts import Form
from services.scheduling.domain.leave import Wish
from services.scheduling.domain.sessions import MODES, OUTCOMES, Cause
from services.scheduling.schemas.wire import Moment


class SessionSchema(Schema):
    session_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    time_zone = fields.String(required=True)
    revision = fields.Integer(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(MODES))


class SessionBookedSchema(SessionSchema):
    existing = fields.Boolean(required=True)


class SessionRescheduledSchema(SessionSchema):
    previous_starts_at = Moment(required=True)


class SessionCancelledSchema(SessionSchema):
    cause = fields.String(required=True, validate=validate.OneOf([str(cause) for cause in Cause]))


class SessionCoveredSchema(SessionSchema):
    previous_peer_id = fields.UUID(required=True)


class SessionContactDisownedSchema(SessionSchema):
    person = fields.String(required=True, validate=validate.OneOf(["client", "peer"]))
    person_id = fields.UUID(required=True)


class SessionOutcomeRecordedSchema(SessionSchema):
    outcome = fields.String(
        required=True, validate=validate.OneOf([str(outcome) for outcome in OUTCOMES])
    )


class LeaveSchema(Schema):
    leave_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    time_zone = fields.String(required=True)


class LeaveQuestionSchema(Schema):
    leave_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    session_ids = fields.List(fields.UUID(), required=True)


class LeaveAnsweredSchema(LeaveQuestionSchema):
    wish = fields.String(required=True, validate=validate.OneOf([str(wish) for wish in Wish]))
    told_by = fields.String(required=True, validate=validate.OneOf(["client", "coordinator"]))


class LeaveContactDisownedSchema(LeaveQuestionSchema):
    person = fields.String(required=True, validate=validate.OneOf(["client"]))
    person_id = fields.UUID(required=True)


class ContactLoggedSchema(Schema):
    contact_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True, allow_none=True)
    referral_id = fields.UUID(required=True, allow_none=True)
    client_id = fields.UUID(required=True, allow_none=True)
    clinic_id = fields.UUID(required=True, allow_none=True)
    session_id = fields.UUID(required=True, allow_none=True)
    match_ids = fields.List(fields.UUID(), required=True)
    started_at = Moment(required=True)
    time_zone = fields.String(required=True)
    minutes = fields.Integer(required=True)
    units = fields.Integer(required=True)
    people = fields.Integer(required=True)
    form = fields.String(required=True, validate=validate.OneOf([str(form) for form in Form]))


PUBLISHED: dict[type, type[Schema]] = {
    events.SessionBooked: SessionBookedSchema,
    events.SessionRescheduled: SessionRescheduledSchema,
    events.SessionCancelled: SessionCancelledSchema,
    events.SessionCovered: SessionCoveredSchema,
    events.SessionContactDisowned: SessionContactDisownedSchema,
    events.SessionOutcomeRecorded: SessionOutcomeRecordedSchema,
    events.LeavePlanned: LeaveSchema,
    events.LeaveWithdrawn: LeaveSchema,
    events.LeaveAsked: LeaveQuestionSchema,
    events.LeaveAnswered: LeaveAnsweredSchema,
    events.LeaveQuestionWithdrawn: LeaveQuestionSchema,
    events.LeaveContactDisowned: LeaveContactDisownedSchema,
    events.ContactLogged: ContactLoggedSchema,
    events.ContactCorrected: ContactLoggedSchema,
    events.ContactWithdrawn: ContactLoggedSchema,
}
