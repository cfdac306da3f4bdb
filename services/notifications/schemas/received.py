"""What notifications reads of other services' events; whatever they add is passed over."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields, post_load

from services.notifications.domain.kinds import (
    CoverOccasion,
    MatchOccasion,
    Occasion,
    SessionOccasion,
)


class Tolerant(Schema):
    class Meta:
        unknown = EXCLUDE


@dataclass(frozen=True, kw_only=True)
class Organisation:
    id: UUID
    name: str
    time_zone: str
    area: str | None = None


class ClinicRegisteredSchema(Tolerant):
    id = fields.UUID(required=True, data_key="clinic_id")
    name = fields.String(required=True)
    time_zone = fields.String(required=True)
    area = fields.String(allow_none=True)

    @post_load
    def to_organisation(self, data: dict[str, Any], **_: Any) -> Organisation:
        return Organisation(**data)


class PeerOrganisationRegisteredSchema(ClinicRegisteredSchema):
    id = fields.UUID(required=True, data_key="peer_organisation_id")


class ReferralSchema(Tolerant):
    """A step of a referral; the client is named when it is submitted."""

    becomes: ClassVar[type[Occasion]] = Occasion
    referral_id = fields.UUID(required=True)
    clinic_id = fields.UUID(required=True)
    client_id = fields.UUID(allow_none=True)

    @post_load
    def to_occasion(self, data: dict[str, Any], **_: Any) -> Occasion:
        return self.becomes(**data)


class MatchSchema(ReferralSchema):
    """A step of a match; the peer is named once there is one."""

    becomes: ClassVar[type[Occasion]] = MatchOccasion
    match_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    peer_id = fields.UUID(allow_none=True)
    peer_organisation_id = fields.UUID(allow_none=True)


class MatchWithPeerSchema(MatchSchema):
    peer_id = fields.UUID(required=True)
    peer_organisation_id = fields.UUID(required=True)


class MatchConfirmedSchema(MatchWithPeerSchema):
    existing = fields.Boolean(load_default=False)


class SessionSchema(MatchWithPeerSchema):
    becomes: ClassVar[type[Occasion]] = SessionOccasion
    session_id = fields.UUID(required=True)
    starts_at = fields.AwareDateTime(required=True)
    revision = fields.Integer(required=True)
    existing = fields.Boolean(load_default=False)


class SessionCoveredSchema(SessionSchema):
    becomes: ClassVar[type[Occasion]] = CoverOccasion
    previous_peer_id = fields.UUID(required=True)
