"""What referrals answers. A field that the reader may not see is left out, never masked."""

from marshmallow import Schema, fields

from services.referrals.schemas.requests import (
    ClientSchema,
    ClinicSchema,
    NeedsSchema,
    PreferencesSchema,
    RecipientsSchema,
    RepresentativeSchema,
    SafeTimeSchema,
    TreatmentPlanSchema,
)


class ClinicAnswerSchema(ClinicSchema):
    clinic_id = fields.UUID(required=True, attribute="id")


class OwnerSchema(Schema):
    role = fields.String(required=True)
    organisation_id = fields.UUID(required=True)


class PlanLineSchema(TreatmentPlanSchema):
    state = fields.String(required=True)


class MatchProgressSchema(Schema):
    match_id = fields.UUID(required=True)
    round = fields.Integer(required=True)
    state = fields.String(required=True)
    peer_organisation_id = fields.UUID(allow_none=True)


class PauseAnswerSchema(Schema):
    """Until when the person pauses, null where that is open; why, for whom it was told."""

    since = fields.AwareDateTime(required=True)
    until = fields.Date(allow_none=True, required=True)
    reason = fields.String(required=True)


class StepSchema(Schema):
    """One line of the timeline, in codes that a page puts into words."""

    at = fields.AwareDateTime(required=True)
    step = fields.String(required=True)
    by = fields.String(attribute="by_role", allow_none=True)
    details = fields.Dict(keys=fields.String(), required=True)


class QuestionSchema(Schema):
    asked_for = fields.List(fields.String(), required=True)
    text = fields.String(allow_none=True)
    requested_at = fields.AwareDateTime(required=True)
    answer = fields.String(allow_none=True)
    provided_at = fields.AwareDateTime(allow_none=True)


class ConsentAnswerSchema(RecipientsSchema):  # type: ignore[misc, valid-type]
    given_on = fields.Date(required=True)
    scope = fields.List(fields.String(), required=True)
    until = fields.AwareDateTime(allow_none=True, attribute="ends_at")
    evidence = fields.String(required=True)


class ConsentScanAnswerSchema(Schema):
    media_type = fields.String(required=True)
    bytes = fields.Integer(required=True)
    added_at = fields.AwareDateTime(required=True)


class ReferralSummarySchema(Schema):
    id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    status = fields.String(required=True)
    accepted = fields.Boolean(required=True)
    urgency = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    owner = fields.Nested(OwnerSchema, allow_none=True)
    next_date = fields.Date(allow_none=True)
    match = fields.Nested(MatchProgressSchema, allow_none=True)
    plan_line = fields.Nested(PlanLineSchema, required=True)
    source = fields.String(required=True)
    pause = fields.Nested(PauseAnswerSchema, allow_none=True)
    client = fields.Nested(ClientSchema)
    version = fields.Integer(required=True)


class ReferralAnswerSchema(NeedsSchema, ReferralSummarySchema):
    external_reference = fields.String(allow_none=True)
    submitted_at = fields.AwareDateTime(allow_none=True)
    linked_referral_id = fields.UUID(allow_none=True)
    same_person_elsewhere = fields.List(fields.UUID())
    consent = fields.Nested(ConsentAnswerSchema, allow_none=True)
    consent_scan = fields.Nested(ConsentScanAnswerSchema, allow_none=True)
    representative = fields.Nested(RepresentativeSchema, allow_none=True)
    information_requests = fields.List(fields.Nested(QuestionSchema))
    timeline = fields.List(fields.Nested(StepSchema), required=True)


class TakenOverReferralSchema(Schema):
    """`added` is false for one that had been taken over before."""

    id = fields.UUID(required=True)
    external_reference = fields.String(required=True)
    added = fields.Boolean(required=True)


class TakenOverReferralsSchema(Schema):
    """In the order in which they were sent."""

    referrals = fields.List(fields.Nested(TakenOverReferralSchema), required=True)


class TaskSchema(Schema):
    id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    details = fields.Dict(keys=fields.String(), required=True)
    opened_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)
    done_at = fields.AwareDateTime(allow_none=True)
    version = fields.Integer(required=True)


class NeedSchema(Schema):
    """What matching ranks by; wishes in a person's own words are not among it."""

    paused = fields.Boolean(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    languages = fields.List(fields.String(), required=True)
    modes = fields.List(fields.String(), required=True)
    postal_code = fields.String(allow_none=True)
    area = fields.String(allow_none=True)
    is_minor = fields.Boolean(required=True)
    preferences = fields.Nested(PreferencesSchema, required=True)
    topics = fields.List(fields.String(), required=True)
    access_needs = fields.List(fields.String(), required=True)
    urgency = fields.String(required=True)
    excluded_peer_ids = fields.List(fields.UUID(), required=True)
    peer_organisation_ids = fields.List(fields.UUID(), allow_none=True)
    preferred_channel = fields.String(required=True)
    time_zone = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    accepted = fields.Boolean(required=True)


class NeedsAnswerSchema(Schema):
    needs = fields.List(fields.Nested(NeedSchema), required=True)


class ClientContactSchema(Schema):
    """Where a message goes; where none may go, the person's name and contacts are empty."""

    referral_id = fields.UUID(required=True)
    allowed = fields.Boolean(required=True)
    reason = fields.String(allow_none=True)
    name = fields.String(required=True)
    email = fields.String(allow_none=True)
    phone = fields.String(allow_none=True)
    preferred_channel = fields.String(required=True)
    safe_times = fields.List(fields.Nested(SafeTimeSchema), required=True)
    shared_phone = fields.Boolean(required=True)
    language = fields.String(required=True)
    time_zone = fields.String(required=True)
    through_representative = fields.Boolean(required=True)
    progress_to_clinic = fields.Boolean(required=True)
    page = fields.String(allow_none=True, load_default=None)


class ClinicContactSchema(Schema):
    clinic_id = fields.UUID(required=True, attribute="id")
    name = fields.String(required=True)
    email = fields.String(allow_none=True)
    language = fields.String(required=True)
    time_zone = fields.String(required=True)


class ContactsAnswerSchema(Schema):
    clients = fields.List(fields.Nested(ClientContactSchema), required=True)
    clinics = fields.List(fields.Nested(ClinicContactSchema), required=True)


class PersonSchema(Schema):
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)


class PeopleAnswerSchema(Schema):
    people = fields.List(fields.Nested(PersonSchema), required=True)
