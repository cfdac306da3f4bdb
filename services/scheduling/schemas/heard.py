"""What scheduling reads of other services' events; they may add fields at any time."""

from marshmallow import EXCLUDE, Schema, fields


class Tolerant(Schema):
    class Meta:
        unknown = EXCLUDE


class ClinicRegisteredSchema(Tolerant):
    clinic_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(load_default=None, allow_none=True)


class PeerOrganisationRegisteredSchema(Tolerant):
    peer_organisation_id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(load_default=None, allow_none=True)


class PeerSchema(Tolerant):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)


class MatchConfirmedSchema(Tolerant):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    mode = fields.String(required=True)


class MatchEndedSchema(Tolerant):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_id = fields.UUID(load_default=None, allow_none=True)
    peer_organisation_id = fields.UUID(load_default=None, allow_none=True)


class ReferralSchema(Tolerant):
    """Withdrawn, or its consent ended: which one it is about is all that counts."""

    referral_id = fields.UUID(required=True)


class ReferralPausedSchema(ReferralSchema):
    until = fields.Date(load_default=None, allow_none=True)


class ReferralCorrectedSchema(Tolerant):
    referral_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)


class ToldPeersSchema(Tolerant):
    peers = fields.List(fields.Nested(PeerSchema), required=True)


class ToldClientSchema(Tolerant):
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    time_zone = fields.String(load_default=None, allow_none=True)


class ToldPeopleSchema(Tolerant):
    people = fields.List(fields.Nested(ToldClientSchema), required=True)


class ToldMatchSchema(Tolerant):
    match_id = fields.UUID(required=True)
    referral_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    peer_id = fields.UUID(load_default=None, allow_none=True)
    peer_organisation_id = fields.UUID(load_default=None, allow_none=True)
    mode = fields.String(load_default=None, allow_none=True)
    state = fields.String(required=True)


class ToldMatchesSchema(Tolerant):
    matches = fields.List(fields.Nested(ToldMatchSchema), required=True)
