"""The contact log on the wire."""

from marshmallow import Schema, fields, validate

from services.chassis.cursors import PageSchema
from services.scheduling.domain import policy
from services.scheduling.domain.contacts import Form, Kind, Setting
from services.scheduling.domain.units import Every
from services.scheduling.schemas.wire import Moment, WallTime

_OWN = {"description": "Only of those whom the caller may know: a client sees themselves"}


class ContactBodySchema(Schema):
    """`match_ids` are the peer's own people who took part; none is fine."""

    form = fields.Enum(Form, by_value=True, load_default=Form.PERSON)
    kind = fields.Enum(Kind, by_value=True, required=True)
    setting = fields.Enum(Setting, by_value=True, required=True)
    started_at = Moment(required=True)
    minutes = fields.Integer(
        strict=True, required=True, validate=validate.Range(1, policy.LONGEST_CONTACT_MINUTES)
    )
    people = fields.Integer(
        strict=True,
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, policy.MOST_IN_A_GROUP),
    )
    match_ids = fields.List(
        fields.UUID(), load_default=list, validate=validate.Length(max=policy.MOST_IN_A_GROUP)
    )
    session_id = fields.UUID(load_default=None, allow_none=True)
    peer_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Whose log, where a coordinator enters it"},
    )


class ParticipantSchema(Schema):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)


class ContactSchema(Schema):
    id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    state = fields.String(required=True)
    form = fields.String(required=True, attribute="details.form")
    kind = fields.String(required=True, attribute="details.kind", allow_none=True)
    setting = fields.String(required=True, attribute="details.setting", allow_none=True)
    started_at = Moment(required=True, attribute="details.started_at")
    wall_started_at = WallTime(required=True)
    time_zone = fields.String(required=True)
    minutes = fields.Integer(required=True, attribute="details.minutes")
    units = fields.Integer(required=True)
    people = fields.Integer(required=True, attribute="details.people")
    participants = fields.List(fields.Nested(ParticipantSchema), required=True, metadata=_OWN)
    session_id = fields.UUID(required=True, attribute="details.session_id", allow_none=True)


class ContactsQuerySchema(PageSchema):
    peer_id = fields.UUID(load_default=None)
    referral_id = fields.UUID(load_default=None)
    from_ = Moment(data_key="from", load_default=None)
    to = Moment(load_default=None)


class ContactFormQuerySchema(Schema):
    """Whom, and which session, a link to the form already names."""

    match_ids = fields.UUID(load_default=None)
    session_id = fields.UUID(load_default=None)


class HoursQuerySchema(Schema):
    every = fields.Enum(Every, by_value=True, load_default=Every.WEEK)
    from_ = fields.Date(data_key="from", load_default=None)
    to = fields.Date(load_default=None)


class SumSchema(Schema):
    contacts = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    units = fields.Integer(required=True)


class PeriodSchema(Schema):
    first_day = fields.Date(required=True)
    last_day = fields.Date(required=True)
    person = fields.Nested(SumSchema, required=True)
    group = fields.Nested(SumSchema, required=True)


class UnitRuleSchema(Schema):
    minutes = fields.Integer(required=True)
    least = fields.Integer(required=True)


class HoursSchema(Schema):
    """A contact counts a unit for each full `minutes`, and one for a rest of `least` or more."""

    peer_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)
    every = fields.Enum(Every, by_value=True, required=True)
    unit = fields.Nested(UnitRuleSchema, required=True)
    periods = fields.List(fields.Nested(PeriodSchema), required=True)
