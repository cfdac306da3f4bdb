"""What matching reads of others: events, and the needs that referrals answers with."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields


class Tolerant(Schema):
    class Meta:
        unknown = EXCLUDE  # the producer may add fields


class ReferralSchema(Tolerant):
    """Every referral's event; the rest of each is not matching's business."""

    referral_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)


class ReferralTakenOverSchema(ReferralSchema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    mode = fields.String(required=True)


class ReferralCorrectedSchema(ReferralSchema):
    client_id = fields.UUID(required=True)
    needs_changed = fields.Boolean(required=True)


class ClinicRegisteredSchema(Tolerant):
    clinic_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(load_default=None, allow_none=True)


class OutcomeRecordedSchema(Tolerant):
    match_id = fields.UUID(required=True)
    outcome = fields.String(required=True)
    starts_at = fields.AwareDateTime(load_default=None, allow_none=True)


class ContactLoggedSchema(Tolerant):
    match_ids = fields.List(fields.UUID(), required=True)
    started_at = fields.AwareDateTime(required=True)
    people = fields.Integer(required=True)


class ContactDisownedSchema(Tolerant):
    person = fields.String(required=True)
    person_id = fields.UUID(required=True)


class LeaveSchema(Tolerant):
    leave_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True)


class LeaveAnsweredSchema(Tolerant):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    wish = fields.String(required=True)


class PreferencesSchema(Tolerant):
    peer_gender = fields.List(fields.String(), load_default=None, allow_none=True)
    peer_age_band = fields.List(fields.String(), load_default=None, allow_none=True)


class NeedSchema(Tolerant):
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    languages = fields.List(fields.String(), required=True)
    modes = fields.List(fields.String(), required=True)
    postal_code = fields.String(load_default=None, allow_none=True)
    area = fields.String(load_default=None, allow_none=True)
    is_minor = fields.Boolean(required=True)
    preferences = fields.Nested(PreferencesSchema, load_default=None, allow_none=True)
    topics = fields.List(fields.String(), load_default=list[Any])
    access_needs = fields.List(fields.String(), load_default=list[Any])
    excluded_peer_ids = fields.List(fields.UUID(), load_default=list[Any])
    peer_organisation_ids = fields.List(fields.UUID(), load_default=None, allow_none=True)
    preferred_channel = fields.String(required=True)
    time_zone = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    accepted = fields.Boolean(required=True)
    paused = fields.Boolean(load_default=False)
    urgency = fields.String(load_default="routine")


class NeedsSchema(Tolerant):
    needs = fields.List(fields.Nested(NeedSchema), required=True)
