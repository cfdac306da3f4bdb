"""Writing down what became of a message, and telling whoever follows it."""

from typing import Any

from services.chassis.work import Work
from services.notifications.domain.kinds import Channel, State
from services.notifications.domain.sending import Message
from services.notifications.events import (
    MessageFate,
    NotificationDelivered,
    NotificationNeedsStaff,
    NotificationUndeliverable,
    NotificationWithheld,
)
from services.notifications.repository.messages import Messages


def settle(
    message: Message,
    state: State,
    work: Work,
    *,
    reason: str | None = None,
    channel: Channel | None = None,
) -> None:
    """Close the message as it was read, and say so; one that changed meanwhile is left alone."""
    channel = channel or message.channel
    settled = Messages(work.connection).settle(
        message.id,
        message.version,
        state=state,
        reason=reason,
        channel=channel,
        delivered_at=work.now if state is State.DELIVERED else None,
    )
    event = _event(message, state, reason, channel, work)
    if settled and event:
        work.emit(event, org=message.org_id, clinic_org=message.clinic_id)


def _event(
    message: Message, state: State, reason: str | None, channel: Channel | None, work: Work
) -> MessageFate | None:
    """What is told; taking back what nobody waited for is nobody's news."""
    about: dict[str, Any] = {
        "message_id": message.id,
        "kind": message.kind,
        "recipient": message.recipient,
        "recipient_id": message.recipient_id,
        "referral_id": message.referral_id,
        "match_id": message.match_id,
        "session_id": message.session_id,
    }
    match state:
        case State.DELIVERED:
            return NotificationDelivered(
                **about,
                channel=channel or Channel.EMAIL,
                delivered_at=work.now,
                repeats=message.repeats,
            )
        case State.WITHHELD:
            return NotificationWithheld(**about, reason=reason or "not-allowed")
        case State.CANCELLED | State.SUPERSEDED if message.state is State.NEEDS_STAFF:
            # Staff were asked to tell it, and must not any more.
            return NotificationWithheld(**about, reason=reason or "not-allowed")
        case State.UNDELIVERABLE:
            return NotificationUndeliverable(**about, reason=reason or "not-reached")
        case State.NEEDS_STAFF:
            return NotificationNeedsStaff(**about, channel=channel or Channel.PHONE)
        case _:
            return None
