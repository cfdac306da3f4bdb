"""What a restored database has forgotten of its own events: what was told to whom.

A message that somebody has received is not planned again when its cause is heard again.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis.errors import Forgotten
from services.chassis.work import Work
from services.notifications.domain.kinds import State
from services.notifications.repository.messages import Messages
from services.notifications.repository.people import People

Event = Mapping[str, Any]


def deliver(event: Event, work: Work) -> None:
    _put(event, State.DELIVERED, work, delivered_at=event["delivered_at"])


def withhold(event: Event, work: Work) -> None:
    _put(event, State.WITHHELD, work)


def give_up(event: Event, work: Work) -> None:
    _put(event, State.UNDELIVERABLE, work)


def hand_to_staff(event: Event, work: Work) -> None:
    _put(event, State.NEEDS_STAFF, work)


def be_discreet(event: Event, work: Work) -> None:
    """Somebody wanted messages otherwise, perhaps to say less: so they do, until told again."""
    people = People(work.connection)
    known = people.lock(event["person_id"])
    if known is not None:
        people.prefer(event["person_id"], language=known["language"], detail="discreet")


def _put(event: Event, state: State, work: Work, *, delivered_at: Any = None) -> None:
    received = work.received
    if received is None or received.org is None:
        raise Forgotten("whose message it was")
    facts = {
        "clinic_id": received.clinicorg or received.org,
        "org_id": received.org,
        "state": state,
        "reason": event.get("reason"),
        "channel": event.get("channel"),
        "at": received.time,
        "delivered_at": delivered_at,
    }
    Messages(work.connection).put_fate({**event, **facts})
