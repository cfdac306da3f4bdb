"""Events as they are written by referrals, and as much of others' events as it reads."""

from typing import Final

from marshmallow import EXCLUDE, Schema, fields, validate

from services.referrals import events
from services.referrals.schemas.requests import DECLINE_REASONS, MODES


class OfReferralSchema(Schema):
    referral_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)


class ClinicRegisteredSchema(Schema):
    clinic_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)


class WaitingReferralSchema(OfReferralSchema):
    client_id = fields.UUID(required=True)
    received_at = fields.AwareDateTime(required=True)
    accepted = fields.Boolean(required=True)


class ReferralSubmittedSchema(WaitingReferralSchema):
    pass


class ReferralConsentRenewedSchema(WaitingReferralSchema):
    pass


class ReferralReopenedSchema(WaitingReferralSchema):
    pass


class ReferralTakenOverSchema(OfReferralSchema):
    client_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(MODES))


class ReferralAcceptedSchema(OfReferralSchema):
    pass


class ReferralDeclinedSchema(OfReferralSchema):
    reason = fields.String(required=True, validate=validate.OneOf(DECLINE_REASONS))


class ReferralInformationRequestedSchema(OfReferralSchema):
    pass


class ReferralInformationProvidedSchema(OfReferralSchema):
    pass


class ReferralCorrectedSchema(OfReferralSchema):
    client_id = fields.UUID(required=True)
    needs_changed = fields.Boolean(required=True)


class ReferralWithdrawnSchema(OfReferralSchema):
    by = fields.String(required=True, validate=validate.OneOf(["clinic", "client", "coordinator"]))


class ReferralConsentEndedSchema(OfReferralSchema):
    cause = fields.String(required=True, validate=validate.OneOf(["withdrawn", "expired"]))


class ReferralPausedSchema(OfReferralSchema):
    until = fields.Date(required=True, allow_none=True)


class ReferralResumedSchema(OfReferralSchema):
    pass


class ReferralAnotherPeerAskedSchema(OfReferralSchema):
    pass


class ReferralCompletedSchema(OfReferralSchema):
    pass


PUBLISHED: Final[dict[type, type[Schema]]] = {
    events.ClinicRegistered: ClinicRegisteredSchema,
    events.ReferralReopened: ReferralReopenedSchema,
    events.ReferralSubmitted: ReferralSubmittedSchema,
    events.ReferralTakenOver: ReferralTakenOverSchema,
    events.ReferralAccepted: ReferralAcceptedSchema,
    events.ReferralDeclined: ReferralDeclinedSchema,
    events.ReferralInformationRequested: ReferralInformationRequestedSchema,
    events.ReferralInformationProvided: ReferralInformationProvidedSchema,
    events.ReferralCorrected: ReferralCorrectedSchema,
    events.ReferralWithdrawn: ReferralWithdrawnSchema,
    events.ReferralConsentEnded: ReferralConsentEndedSchema,
    events.ReferralConsentRenewed: ReferralConsentRenewedSchema,
    events.ReferralPaused: ReferralPausedSchema,
    events.ReferralResumed: ReferralResumedSchema,
    events.ReferralAnotherPeerAsked: ReferralAnotherPeerAskedSchema,
    events.ReferralCompleted: ReferralCompletedSchema,
}


class Tolerant(Schema):
    """Read what is needed of an event; its producer may add to it."""

    class Meta:
        unknown = EXCLUDE


class PeerOrganisationRegisteredSchema(Tolerant):
    peer_organisation_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(load_default=None, allow_none=True)


class MatchSchema(Tolerant):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    round = fields.Integer(required=True)


class MatchShortlistedSchema(MatchSchema):
    candidates = fields.Integer(required=True)


class MatchNoPeerFoundSchema(MatchSchema):
    ruled_out = fields.Integer(required=True)


class MatchWithPeerSchema(MatchSchema):
    peer_organisation_id = fields.UUID(required=True)
    peer_id = fields.UUID(load_default=None, allow_none=True)


class MatchOfferedSchema(MatchWithPeerSchema):
    answer_by = fields.AwareDateTime(required=True)


class MatchConfirmedSchema(MatchWithPeerSchema):
    mode = fields.String(required=True)


class MatchDeclinedSchema(MatchSchema):
    by = fields.String(required=True)
    candidates = fields.Integer(load_default=None, allow_none=True)


class MatchEndedSchema(MatchSchema):
    reason = fields.String(required=True)
    peer_id = fields.UUID(load_default=None, allow_none=True)


class MatchContactDisownedSchema(MatchSchema):
    person = fields.String(required=True)


class SessionSchema(Tolerant):
    session_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    starts_at = fields.AwareDateTime(required=True)


class SessionCancelledSchema(SessionSchema):
    cause = fields.String(required=True)


class SessionOutcomeSchema(SessionSchema):
    outcome = fields.String(required=True)


class SessionContactDisownedSchema(SessionSchema):
    person = fields.String(required=True)


class LeaveQuestionSchema(Tolerant):
    referral_id = fields.UUID(required=True)


class LeaveAnsweredSchema(LeaveQuestionSchema):
    wish = fields.String(required=True)
    told_by = fields.String(required=True)


class LeaveContactDisownedSchema(LeaveQuestionSchema):
    person = fields.String(required=True)


class MessageSchema(Tolerant):
    message_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    recipient = fields.String(required=True)
    referral_id = fields.UUID(load_default=None, allow_none=True)


class MessageByChannelSchema(MessageSchema):
    channel = fields.String(required=True)


class MessageWithReasonSchema(MessageSchema):
    reason = fields.String(required=True)
