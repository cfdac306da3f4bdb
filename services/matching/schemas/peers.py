"""Peer organisations and peers on the wire."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from services.matching.domain.ranking import Mode
from services.matching.schemas.checks import (
    CHANNELS,
    known_postal_code,
    known_zone,
    language_tag,
    phone_number,
)

NAME = validate.Length(min=1, max=200)
CODE = validate.Length(min=1, max=60)


class PeerOrganisationBodySchema(Schema):
    name = fields.String(required=True, validate=NAME)
    time_zone = fields.String(required=True, validate=known_zone)
    area = fields.String(load_default=None, allow_none=True, validate=NAME)


class PeerOrganisationSchema(Schema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(required=True, allow_none=True)


class PeerFactsSchema(Schema):
    """What may be said about a peer, when adding one and when changing one."""

    display_name = fields.String(required=True, validate=NAME)
    email = fields.Email(allow_none=True, validate=validate.Length(max=254))
    phone = fields.String(allow_none=True, validate=phone_number)
    preferred_channel = fields.String(validate=validate.OneOf(CHANNELS))
    languages = fields.List(
        fields.String(validate=language_tag),
        required=True,
        validate=validate.Length(min=1, max=20),
    )
    postal_code = fields.String(required=True, validate=known_postal_code)
    time_zone = fields.String(required=True, validate=known_zone)
    modes = fields.List(
        fields.String(validate=validate.OneOf(list(Mode))),
        required=True,
        validate=validate.Length(min=1, max=len(Mode)),
    )
    story = fields.String(
        allow_none=True,
        validate=validate.Length(max=600),
        metadata={"description": "A few words of their own, for whoever may choose them"},
    )
    topics = fields.List(fields.String(validate=CODE), validate=validate.Length(max=50))
    topics_for_clients = fields.List(
        fields.String(validate=CODE),
        validate=validate.Length(max=50),
        metadata={"description": "Those of `topics` that people who may choose them are shown"},
    )
    topics_for_supervisors = fields.List(
        fields.String(validate=CODE),
        validate=validate.Length(max=50),
        metadata={"description": "Those of `topics` that their own supervisor is shown"},
    )
    access = fields.List(fields.String(validate=CODE), validate=validate.Length(max=50))
    gender = fields.String(allow_none=True, validate=CODE)
    age_band = fields.String(allow_none=True, validate=CODE)
    capacity = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=200))
    certified_until = fields.Date(required=True)
    cleared_for_minors = fields.Boolean(truthy={True}, falsy={False})


class NewPeerSchema(PeerFactsSchema):
    organisation_id = fields.UUID()

    @validates_schema(skip_on_field_errors=False)
    def reachable(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("email") and not data.get("phone"):
            raise ValidationError({"email": ["An e-mail address or a phone number is needed."]})


class NewPeersSchema(Schema):
    """Many at once: all are added, or none."""

    peers = fields.List(
        fields.Nested(NewPeerSchema), required=True, validate=validate.Length(min=1, max=50)
    )


class PeerChangeSchema(PeerFactsSchema):
    state = fields.String(validate=validate.OneOf(["active", "paused"]))

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"partial": True, **more})


class PeerSchema(Schema):
    """Lived experience is the peer's to show: others see how many topics, and those shown them."""

    id = fields.UUID(required=True)
    organisation_id = fields.UUID(required=True)
    display_name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    preferred_channel = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    postal_code = fields.String(required=True)
    time_zone = fields.String(required=True)
    modes = fields.List(fields.String(), required=True)
    story = fields.String(required=True, allow_none=True)
    topics = fields.List(fields.String(), metadata={"description": "Only to the peer"})
    topics_for_clients = fields.List(fields.String(), metadata={"description": "Only to the peer"})
    topics_for_supervisors = fields.List(
        fields.String(), metadata={"description": "Only to the peer and to supervisors"}
    )
    topics_given = fields.Integer(required=True)
    access = fields.List(fields.String(), required=True)
    gender = fields.String(required=True, allow_none=True)
    age_band = fields.String(required=True, allow_none=True)
    capacity = fields.Integer(required=True)
    places_taken = fields.Integer(required=True)
    certified_until = fields.Date(required=True)
    cleared_for_minors = fields.Boolean(required=True)
    state = fields.String(required=True)
    contact_disputed_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "Somebody else reads the e-mail address: nothing is sent to it until "
            "it is given anew, or the phone with phone as the preferred channel"
        },
    )


class PeersSchema(Schema):
    """In the order in which they were sent."""

    peers = fields.List(fields.Nested(PeerSchema), required=True)


class IdsSchema(Schema):
    ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=200))


class PeerStateSchema(Schema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)
    time_zone = fields.String(required=True)
    state = fields.String(required=True)


class PeerStatesSchema(Schema):
    peers = fields.List(fields.Nested(PeerStateSchema), required=True)


class PeerContactSchema(Schema):
    peer_id = fields.UUID(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why an address is left out"}
    )
    preferred_channel = fields.String(required=True)
    language = fields.String(required=True)
    time_zone = fields.String(required=True)


class PeerContactsSchema(Schema):
    peers = fields.List(fields.Nested(PeerContactSchema), required=True)
