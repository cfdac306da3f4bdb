"""What clinics and coordinators send. Every field is checked, so that one answer names all."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.chassis.cursors import PageSchema
from services.chassis.work import system_clock
from services.referrals.domain.consent import ANY_PEER_ORGANISATION, SCOPES, ends_at
from services.referrals.domain.ownership import Urgency
from services.referrals.domain.pause import PauseReason
from services.referrals.domain.person import birth_date_problem, default_channel
from services.referrals.domain.progress import Status
from services.referrals.domain.source import KEYED_IN, TOLD_BY_STAFF, Source
from services.referrals.schemas.values import (
    AgeBand,
    ClockTime,
    Code,
    Day,
    DayOrMoment,
    Email,
    LanguageTag,
    PostalCode,
    ScanContent,
    TimeZone,
    Words,
)

CONSENT_HAS_ENDED: Final = "This consent has ended."
# Whichever zone is meant, a day begins in the first and ends in the last.
FIRST_ZONE: Final = "Pacific/Kiritimati"
LAST_ZONE: Final = "Etc/GMT+12"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CHANNELS: Final = ("email", "sms", "phone", "reception")
MODES: Final = ("in-person", "video", "phone")
DECLINE_REASONS: Final = (
    "not-eligible",
    "no-capacity",
    "service-not-provided",
    "already-enrolled",
    "client-declined",
    "could-not-contact",
    "no-longer-needed",
    "other-support-found",
    "referred-elsewhere",
)
WITHDRAW_REASONS: Final = (
    "client-choice",
    "no-longer-needed",
    "other-support-found",
    "no-capacity",
    "moved-away",
    "sent-by-mistake",
)
INFORMATION: Final = (
    "contact",
    "consent",
    "representative",
    "wishes",
    "preferences",
    "access-needs",
    "treatment-plan",
    "other",
)


def many(inner: fields.Field[Any], *, least: int = 0, **more: Any) -> fields.List[Any]:
    return fields.List(inner, validate=validate.Length(min=least, max=50), **more)


def known_recipient(recipient: str) -> None:
    if recipient == ANY_PEER_ORGANISATION:
        return
    try:
        UUID(recipient)
    except ValueError:
        raise ValidationError(f'Neither "{ANY_PEER_ORGANISATION}" nor an id.') from None


def birth_date_is_plausible(birth_date: date) -> None:
    problem = birth_date_problem(birth_date, latest_day(system_clock()))
    if problem:
        raise ValidationError(problem)


def is_not_ahead(day: date) -> None:
    if day > latest_day(system_clock()):
        raise ValidationError("Lies in the future.")


def consent_lasts(until: date | datetime) -> None:
    """Refuse what has ended everywhere on earth; the handler knows the person's own zone."""
    ended_at = ends_at(until, LAST_ZONE)
    if ended_at is not None and ended_at <= system_clock():
        raise ValidationError(CONSENT_HAS_ENDED)


def latest_day(now: datetime) -> date:
    return now.astimezone(ZoneInfo(FIRST_ZONE)).date()


class ClinicSchema(Schema):
    name = Words(longest=200, required=True)
    time_zone = TimeZone(required=True)
    area = Words(longest=200, load_default=None, allow_none=True)
    email = Email(load_default=None, allow_none=True)
    language = LanguageTag(load_default="en")
    auto_accept = fields.Boolean(load_default=False)


# "from" is no name for a class attribute.
StretchSchema = Schema.from_dict(
    {
        "day": fields.String(required=True, validate=validate.OneOf(DAYS)),
        "from": ClockTime(required=True),
        "to": ClockTime(required=True),
    },
    name="StretchSchema",
)


class SafeTimeSchema(StretchSchema):  # type: ignore[misc, valid-type]
    """A stretch of the week, in the person's own zone, when a message does no harm."""

    @validates_schema
    def ends_later(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("from", "") >= data.get("to", "24:00"):
            raise ValidationError("Ends before it begins.", "to")


class SafeContactSchema(Schema):
    times = many(fields.Nested(SafeTimeSchema), load_default=list)
    shared_phone = fields.Boolean(load_default=False)
    do_not_contact = fields.Boolean(load_default=False)


SAFE_CONTACT: Final = SafeContactSchema()


class ClientSchema(Schema):
    """The person: recognised again and reached safely by these facts. No diagnosis."""

    given_name = Words(longest=200, required=True)
    family_name = Words(longest=200, required=True)
    preferred_name = Words(longest=200, allow_none=True)
    birth_date = Day(
        allow_none=True,
        validate=birth_date_is_plausible,
        metadata={"description": "This or age_band is needed"},
    )
    age_band = AgeBand(allow_none=True)
    record_number = Words(longest=100, allow_none=True)
    email = Email(allow_none=True)
    # Any text: a number nobody can call is a task for the coordinator, not a refusal.
    phone = Words(longest=60, allow_none=True)
    preferred_channel = fields.String(validate=validate.OneOf(CHANNELS))
    safe_contact = fields.Nested(SafeContactSchema, load_default=lambda: SAFE_CONTACT.load({}))
    languages = many(LanguageTag(), least=1, required=True)
    time_zone = TimeZone(required=True)
    postal_code = PostalCode(allow_none=True)
    area = Words(
        longest=200, allow_none=True, metadata={"description": "This or postal_code is needed"}
    )

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def has_age_and_place(self, _: Any, original: Any, **more: Any) -> None:
        if more.get("partial") or not isinstance(original, Mapping):
            return
        errors = {}
        if not original.get("birth_date") and not original.get("age_band"):
            errors["birth_date"] = ["Give this or age_band."]
        if not original.get("postal_code") and not original.get("area"):
            errors["postal_code"] = ["Give this or area."]
        if errors:
            raise ValidationError(errors)


class RepresentativeSchema(Schema):
    name = Words(longest=200, required=True)
    relationship = Words(longest=100, allow_none=True)
    email = Email(allow_none=True)
    phone = Words(longest=60, allow_none=True)


# "with" is no name for a class attribute.
RecipientsSchema = Schema.from_dict(
    {
        "with": many(
            fields.String(
                validate=known_recipient,
                metadata={"description": "peer-organisations (all of them), or the id of one"},
            ),
            least=1,
            load_default=lambda: [ANY_PEER_ORGANISATION],
        )
    },
    name="RecipientsSchema",
)


class ConsentSchema(RecipientsSchema):  # type: ignore[misc, valid-type]
    """What was agreed to, with whom, until when; `with` names all or single peer organisations."""

    given_on = fields.Date(load_default=None, allow_none=True, validate=is_not_ahead)
    scope = many(
        fields.String(validate=validate.OneOf(SCOPES)), least=1, load_default=lambda: list(SCOPES)
    )
    until = DayOrMoment(load_default=None, allow_none=True, validate=consent_lasts)
    evidence = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf([*TOLD_BY_STAFF]),
        metadata={"description": "How it is known; left out, as the referral came in"},
    )


class PreferencesSchema(Schema):
    """Wishes about the peer; nothing given means no preference."""

    peer_gender = many(Code(), allow_none=True, load_default=None)
    peer_age_band = many(AgeBand(), allow_none=True, load_default=None)


PREFERENCES: Final = PreferencesSchema()


class NeedsSchema(Schema):
    """What the person wants from peer support."""

    wishes = Words(longest=4000, allow_none=True, load_default=None)
    topics = many(Code(), load_default=list)
    modes = many(
        fields.String(validate=validate.OneOf(MODES)), least=1, load_default=lambda: list(MODES)
    )
    access_needs = many(Code(), load_default=list)
    preferences = fields.Nested(PreferencesSchema, load_default=lambda: PREFERENCES.load({}))
    excluded_peer_ids = many(fields.UUID(), load_default=list)


class TreatmentPlanSchema(Schema):
    """The clinic's own plan: its reference, and the goal that peer support serves."""

    reference = Words(longest=200, allow_none=True, load_default=None)
    goal = Words(longest=1000, allow_none=True, load_default=None)


class AskedSchema(NeedsSchema):
    """What the referral asks for, beside whom it is about."""

    urgency = fields.Enum(Urgency, by_value=True, load_default=Urgency.ROUTINE)
    treatment_plan = fields.Nested(TreatmentPlanSchema, allow_none=True, load_default=None)


class NewReferralSchema(AskedSchema):
    clinic_id = fields.UUID(load_default=None, allow_none=True)
    client = fields.Nested(ClientSchema, required=True)
    consent = fields.Nested(ConsentSchema, allow_none=True, load_default=None)
    representative = fields.Nested(RepresentativeSchema, allow_none=True, load_default=None)
    external_reference = Words(longest=200, allow_none=True, load_default=None)


class EnteredReferralSchema(NewReferralSchema):
    """A referral that a coordinator keys in for a clinic."""

    source = fields.Enum(Source, by_value=True, required=True, validate=validate.OneOf(KEYED_IN))


class TakenOverSchema(NewReferralSchema):
    """A pair that met before Kindred: the person, what they agreed to, and their peer."""

    clinic_id = fields.UUID(required=True)
    external_reference = Words(longest=200, required=True)
    consent = fields.Nested(ConsentSchema, required=True)
    received_at = fields.AwareDateTime(
        required=True,
        metadata={"description": "When the person first came; only here can it be told"},
    )
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    mode = fields.String(required=True, validate=validate.OneOf(MODES))


class TakenOverPairsSchema(Schema):
    """Many at once: all are taken over, or none."""

    pairs = many(fields.Nested(TakenOverSchema), least=1, required=True)


class WaitingReferralSchema(NewReferralSchema):
    """Somebody who waits already, on a list from before Kindred; they keep their date."""

    clinic_id = fields.UUID(required=True)
    external_reference = Words(longest=200, required=True)
    received_at = fields.AwareDateTime(
        required=True, metadata={"description": "When the person first came"}
    )
    accepted = fields.Boolean(
        load_default=False, metadata={"description": "A coordinator has taken it on before"}
    )


class WaitingReferralsSchema(Schema):
    """Many at once: all come in, or none."""

    referrals = many(fields.Nested(WaitingReferralSchema), least=1, required=True)


class ConsentScanSchema(Schema):
    content = ScanContent(required=True)


class CorrectionSchema(Schema):
    """Only what was wrong; the rest stays as it is."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "partial": True})


class ClientCorrectionSchema(CorrectionSchema, ClientSchema):
    representative = fields.Nested(RepresentativeSchema, allow_none=True)


class ReferralCorrectionSchema(CorrectionSchema, AskedSchema):
    pass


class DeclineSchema(Schema):
    reason = fields.String(required=True, validate=validate.OneOf(DECLINE_REASONS))


class WithdrawSchema(Schema):
    reason = fields.String(load_default=None, validate=validate.OneOf(WITHDRAW_REASONS))


class PauseSchema(Schema):
    """A pause until a day, or until somebody ends it."""

    reason = fields.Enum(PauseReason, by_value=True, allow_none=True, load_default=None)
    until = fields.Date(allow_none=True, load_default=None)


class InformationRequestSchema(Schema):
    asked_for = many(fields.String(validate=validate.OneOf(INFORMATION)), least=1, required=True)
    text = Words(longest=2000, allow_none=True, load_default=None)


class InformationSchema(Schema):
    text = Words(longest=4000, allow_none=True, load_default=None)


class ReferralsQuerySchema(PageSchema):
    status = fields.Enum(Status, by_value=True, load_default=None)


class TasksQuerySchema(PageSchema):
    referral_id = fields.UUID(load_default=None)
    done = fields.Boolean(load_default=False)


class IdsSchema(Schema):
    ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=200))


class ContactsQuestionSchema(Schema):
    referral_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=200))
    clinic_ids = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=200))


CLIENT: Final = ClientSchema()
NEEDS: Final = NeedsSchema()
ASKED: Final = AskedSchema()
PLAN: Final = TreatmentPlanSchema()
REPRESENTATIVE: Final = RepresentativeSchema()


def client_facts(loaded: Mapping[str, Any]) -> dict[str, Any]:
    """Write a client as it is stored: JSON, with the channel that suits the contacts given."""
    facts: dict[str, Any] = CLIENT.dump(loaded)
    facts.setdefault("preferred_channel", default_channel(facts))
    return facts
