"""How notifications reads what the owners of contacts, matches and sessions answer."""

import re
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields, post_load, validate

from services.notifications.domain.kinds import Channel
from services.notifications.domain.safe_times import DAYS, Window
from services.notifications.domain.sending import Contact, MatchFacts, SessionFacts
from services.notifications.schemas.received import Tolerant

# A reason is a code of ours; anything else could be somebody's words and is not kept.
_CODE = re.compile(r"[a-z][a-z-]{0,39}")


class WallTime(fields.Field[time]):
    """`09:00`, or `24:00` for the end of the day."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> time:
        try:
            return time.min if value == "24:00" else time.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Not a wall time.") from error


def is_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError("Not a known time zone.") from error


class WindowSchema(Tolerant):
    day = fields.String(required=True, validate=validate.OneOf(DAYS))
    start = WallTime(required=True, data_key="from")
    end = WallTime(required=True, data_key="to")

    @post_load
    def to_window(self, data: dict[str, Any], **_: Any) -> Window:
        return Window(**data)


class ContactSchema(Tolerant):
    name = fields.String(required=True, allow_none=True)
    email = fields.String(allow_none=True, load_default=None)
    language = fields.String(required=True)
    time_zone = fields.String(required=True, validate=is_zone)

    @post_load
    def to_contact(self, data: dict[str, Any], **_: Any) -> tuple[UUID, Contact]:
        """The id that it was asked by, and the contact; of the silent only that is told."""
        known = {name: value for name, value in data.items() if value is not None}
        reason = known.pop("reason", None)
        if reason is not None:
            known["reason"] = reason if _CODE.fullmatch(reason) else "not-allowed"
        return known.pop("id"), Contact(**known)


class ClinicContactSchema(ContactSchema):
    id = fields.UUID(required=True, data_key="clinic_id")


class PeerContactSchema(ContactSchema):
    id = fields.UUID(required=True, data_key="peer_id")
    phone = fields.String(allow_none=True)
    preferred_channel = fields.Enum(Channel, by_value=True, allow_none=True)
    reason = fields.String(allow_none=True)


class ClientContactSchema(PeerContactSchema):
    id = fields.UUID(required=True, data_key="referral_id")
    safe_times = fields.List(fields.Nested(WindowSchema))
    allowed = fields.Boolean(required=True)
    progress_to_clinic = fields.Boolean(required=True)
    page = fields.String(allow_none=True)


class MatchAnswerSchema(Tolerant):
    match_id = fields.UUID(required=True)
    state = fields.String(required=True)
    answer_by = fields.AwareDateTime(allow_none=True, load_default=None)

    @post_load
    def to_facts(self, data: dict[str, Any], **_: Any) -> tuple[UUID, MatchFacts]:
        return data.pop("match_id"), MatchFacts(**data)


class SessionAnswerSchema(Tolerant):
    session_id = fields.UUID(required=True)
    state = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True)
    time_zone = fields.String(required=True)
    revision = fields.Integer(required=True)
    mode = fields.String(required=True)
    place = fields.String(allow_none=True, load_default=None)

    @post_load
    def to_facts(self, data: dict[str, Any], **_: Any) -> tuple[UUID, SessionFacts]:
        return data.pop("session_id"), SessionFacts(**data)


class LinkAnswerSchema(Tolerant):
    path = fields.String(required=True, validate=validate.Regexp(r"^/l/[A-Za-z0-9_~.-]+$"))


ANSWERS: dict[str, Schema] = {
    "clients": ClientContactSchema(),
    "clinics": ClinicContactSchema(),
    "peers": PeerContactSchema(),
    "matches": MatchAnswerSchema(),
    "sessions": SessionAnswerSchema(),
}
