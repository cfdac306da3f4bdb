"""How matching's events look on the wire; it holds itself to these schemas."""

from collections.abc import Mapping

from marshmallow import Schema, fields, validate

from services.matching.domain.ranking import Mode
from services.matching.domain.states import EndReason
from services.matching.events import (
    MatchActivated,
    MatchChosen,
    MatchConfirmed,
    MatchContactDisowned,
    MatchDeclined,
    MatchEnded,
    MatchInTouch,
    MatchNoPeerFound,
    MatchOffered,
    MatchOfferExpired,
    MatchOfferTakenBack,
    MatchQuiet,
    MatchShortlisted,
    PeerOrganisationRegistered,
    PeerRegistered,
    PeerUpdated,
)


class PeerOrganisationRegisteredSchema(Schema):
    peer_organisation_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)


class PeerRegisteredSchema(Schema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["active", "paused"]))


class AboutMatchSchema(Schema):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    round = fields.Integer(required=True, validate=validate.Range(min=1))


class MatchShortlistedSchema(AboutMatchSchema):
    candidates = fields.Integer(required=True, validate=validate.Range(min=1))


class MatchNoPeerFoundSchema(AboutMatchSchema):
    ruled_out = fields.Integer(required=True, validate=validate.Range(min=0))


class AboutPeerSchema(AboutMatchSchema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)


class MatchOfferedSchema(AboutPeerSchema):
    offer_id = fields.UUID(required=True)
    answer_by = fields.AwareDateTime(required=True)


class AboutOfferSchema(AboutPeerSchema):
    offer_id = fields.UUID(required=True)


class MatchConfirmedSchema(AboutPeerSchema):
    mode = fields.String(required=True, validate=validate.OneOf(list(Mode)))
    existing = fields.Boolean(required=True)


class MatchDeclinedSchema(AboutMatchSchema):
    by = fields.String(required=True, validate=validate.OneOf(["client", "peer"]))
    peer_id = fields.UUID(required=True, allow_none=True)
    peer_organisation_id = fields.UUID(required=True, allow_none=True)
    candidates = fields.Integer(required=True, validate=validate.Range(min=0))


class MatchContactDisownedSchema(AboutMatchSchema):
    person = fields.String(required=True, validate=validate.OneOf(["client", "peer"]))
    person_id = fields.UUID(required=True)


class MatchEndedSchema(AboutMatchSchema):
    reason = fields.String(required=True, validate=validate.OneOf(list(EndReason)))
    peer_id = fields.UUID(required=True, allow_none=True)
    peer_organisation_id = fields.UUID(required=True, allow_none=True)


PUBLISHED: Mapping[type, type[Schema]] = {
    PeerOrganisationRegistered: PeerOrganisationRegisteredSchema,
    PeerRegistered: PeerRegisteredSchema,
    PeerUpdated: PeerRegisteredSchema,
    MatchShortlisted: MatchShortlistedSchema,
    MatchNoPeerFound: MatchNoPeerFoundSchema,
    MatchOffered: MatchOfferedSchema,
    MatchChosen: AboutOfferSchema,
    MatchConfirmed: MatchConfirmedSchema,
    MatchDeclined: MatchDeclinedSchema,
    MatchOfferExpired: AboutOfferSchema,
    MatchOfferTakenBack: AboutOfferSchema,
    MatchActivated: AboutPeerSchema,
    MatchQuiet: AboutPeerSchema,
    MatchInTouch: AboutPeerSchema,
    MatchContactDisowned: MatchContactDisownedSchema,
    MatchEnded: MatchEndedSchema,
}
