"""Shortlists, offers and matches on the wire."""

from marshmallow import Schema, fields, validate

from services.chassis.cursors import PageSchema
from services.matching.domain.ranking import Mode
from services.matching.domain.states import EndReason, State
from services.matching.domain.waits import Capacity
from services.matching.schemas.checks import language_tag

WITHOUT_A_PEER = (State.WAITING, State.SHORTLISTED, State.OFFERED, State.CHOSEN)
HOW = ("phone", "in-person", "letter")


class ReasonSchema(Schema):
    code = fields.String(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class ShortlistedPeerSchema(Schema):
    position = fields.Integer(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    display_name = fields.String(required=True)
    points = fields.Integer(required=True)
    modes = fields.List(fields.String(), required=True)
    reasons_for = fields.List(fields.Nested(ReasonSchema), required=True)
    reasons_against = fields.List(fields.Nested(ReasonSchema), required=True)
    has_place = fields.Boolean(required=True)


class MatchSchema(Schema):
    id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    round = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(list(State)))
    owner = fields.String(required=True, allow_none=True)
    next_date = fields.AwareDateTime(required=True, allow_none=True)
    received_at = fields.AwareDateTime(required=True)
    offer_id = fields.UUID(required=True, allow_none=True)
    peer_id = fields.UUID(required=True, allow_none=True)
    peer_organisation_id = fields.UUID(required=True, allow_none=True)
    mode = fields.String(required=True, allow_none=True)
    end_reason = fields.String(required=True, allow_none=True)


class WaitingQuerySchema(PageSchema):
    state = fields.List(
        fields.String(validate=validate.OneOf(WITHOUT_A_PEER)),
        load_default=lambda: list(WITHOUT_A_PEER),
    )
    longer_than_days = fields.Integer(
        load_default=None,
        validate=validate.Range(min=0, max=3650),
        metadata={"description": "Only who has waited longer than so many days"},
    )


class WaitingSchema(MatchSchema):
    accepted = fields.Boolean(required=True)
    paused = fields.Boolean(required=True)
    shortlisted_peers = fields.Integer(required=True)


class ShortlistSchema(MatchSchema):
    accepted = fields.Boolean(required=True)
    paused = fields.Boolean(required=True)
    policy_version = fields.Integer(required=True)
    candidates = fields.List(fields.Nested(ShortlistedPeerSchema), required=True)
    ruled_out = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many peers do not suit, by the first rule that says so"},
    )
    openings = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "How many more would suit if this alone were allowed besides"},
    )


class NewOfferSchema(Schema):
    peer_id = fields.UUID()
    alternates = fields.List(fields.UUID(), validate=validate.Length(max=2))
    answer_by = fields.AwareDateTime()
    reason = fields.String(validate=validate.Length(min=1, max=500))


class OfferedPeerSchema(Schema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    display_name = fields.String(required=True)
    modes = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    story = fields.String(required=True, allow_none=True)
    topics = fields.List(
        fields.String(), metadata={"description": "Only to the person, and what the peer shows"}
    )
    is_held = fields.Boolean(required=True)
    has_place = fields.Boolean(required=True)


class OfferSchema(Schema):
    id = fields.UUID(required=True)
    offer_id = fields.UUID(required=True)
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    state = fields.String(required=True)
    answer_by = fields.AwareDateTime(required=True)
    peers = fields.List(fields.Nested(OfferedPeerSchema), required=True)


class RecordedSchema(Schema):
    """How staff heard the answer that they record for somebody."""

    recorded_for = fields.UUID()
    how = fields.String(validate=validate.OneOf(HOW))


class ChoiceSchema(RecordedSchema):
    peer_id = fields.UUID()


class DeclineSchema(RecordedSchema):
    by = fields.String(validate=validate.OneOf(["client", "peer"]))


class EndSchema(RecordedSchema):
    reason = fields.String(validate=validate.OneOf(list(EndReason)))


class NextStepSchema(MatchSchema):
    """A match after a no or an end; a no needs no reason, and the waiting date is kept."""

    next_step = fields.String(
        required=True, validate=validate.OneOf(["new-offer", "search-continues", "none"])
    )
    next_match_id = fields.UUID(required=True, allow_none=True)


class IdOfMatchSchema(Schema):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True, allow_none=True)
    peer_organisation_id = fields.UUID(required=True, allow_none=True)
    state = fields.String(required=True)
    mode = fields.String(required=True, allow_none=True)
    answer_by = fields.AwareDateTime(required=True, allow_none=True)


class MatchesSchema(Schema):
    matches = fields.List(fields.Nested(IdOfMatchSchema), required=True)


class CapacityQuerySchema(Schema):
    language = fields.String(load_default=None, validate=language_tag)
    mode = fields.Enum(Mode, by_value=True, load_default=None)
    is_minor = fields.Boolean(
        load_default=False, data_key="minor", metadata={"description": "For somebody under age"}
    )


class WaitSchema(Schema):
    """By when a quarter, a half and three quarters of people have somebody, in days."""

    measured = fields.Integer(required=True)
    quarter = fields.Integer(required=True, allow_none=True)
    half = fields.Integer(required=True, allow_none=True)
    three_quarters = fields.Integer(required=True, allow_none=True)


class CapacitySchema(Schema):
    capacity = fields.Enum(Capacity, by_value=True, required=True)
    language = fields.String(required=True, allow_none=True)
    wait = fields.Nested(
        WaitSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Not told where too few have been matched lately to say"},
    )


class LinkRequestSchema(Schema):
    purpose = fields.String(
        required=True, validate=validate.OneOf(["choose", "respond", "withdraw"])
    )
    match_id = fields.UUID(required=True)
    person_id = fields.UUID(required=True)
    language = fields.String(load_default="en")


class LinkSchema(Schema):
    path = fields.String(required=True)
