"""The events notifications publishes: what became of a message, never what it said."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class MessageFate:
    """What every event of a message names."""

    type: ClassVar[str]
    subject: ClassVar[str] = "message_id"
    message_id: UUID
    kind: str
    recipient: str
    recipient_id: UUID
    referral_id: UUID
    match_id: UUID | None
    session_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class NotificationDelivered(MessageFate):
    type: ClassVar[str] = "notification.delivered.v1"
    channel: str
    delivered_at: datetime
    repeats: int


@dataclass(frozen=True, kw_only=True)
class NotificationWithheld(MessageFate):
    type: ClassVar[str] = "notification.withheld.v1"
    reason: str


@dataclass(frozen=True, kw_only=True)
class NotificationUndeliverable(MessageFate):
    type: ClassVar[str] = "notification.undeliverable.v1"
    reason: str


@dataclass(frozen=True, kw_only=True)
class NotificationNeedsStaff(MessageFate):
    """Somebody must tell the person: no machine of ours reaches them."""

    type: ClassVar[str] = "notification.needs_staff.v1"
    channel: str


@dataclass(frozen=True, kw_only=True)
class PreferenceChanged:
    """A person wants messages otherwise; how is theirs to say, and ours alone to know."""

    type: ClassVar[str] = "preference.changed.v1"
    subject: ClassVar[str] = "person_id"
    person_id: UUID
