"""What a restored database of notifications is told again: nobody is written to twice."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from services.chassis import restored
from services.notifications.domain.kinds import Kind, Recipient
from services.notifications.handlers import planning
from tests.integration.notifications.post import Region


def recall(region: Region, type_: str, subject: UUID, body: dict[str, Any]) -> bool:
    row = {
        "event_id": uuid4(),
        "type": type_,
        "versions": None,
        "aggregate": type_.partition(".")[0],
        "aggregate_id": subject,
        "epoch": 1,
        "sequence": 1,
        "org_id": region.peer_organisation_id,
        "clinic_org_id": region.clinic_id,
        "traceparent": None,
        "occurred_at": datetime(2026, 11, 25, 9, tzinfo=UTC),
        "body": json.dumps(body, default=str).encode(),
    }
    [outcome] = restored.recall(region.scene.workplace, [row])
    return outcome.is_recalled


def test_a_letter_that_was_delivered_is_not_sent_again_when_its_cause_is_heard_again(
    region: Region,
) -> None:
    cause = uuid4()
    letter = planning.id_of(Kind.SESSION_BOOKED, Recipient.PEER, region.peer_id, cause)
    fate = {
        "message_id": letter,
        "kind": "session-booked",
        "recipient": "peer",
        "recipient_id": region.peer_id,
        "referral_id": region.referral_id,
        "match_id": region.match_id,
        "session_id": region.session_id,
        "channel": "email",
        "delivered_at": "2026-11-25T09:00:00Z",
        "repeats": 0,
    }
    assert recall(region, "notification.delivered.v1", letter, fate)

    region.session_step("booked", hours_ahead=72, revision=0, event_id=cause)
    region.send()

    states = {row["recipient_role"]: row["state"] for row in region.messages("session-booked")}
    assert states == {"client": "delivered", "peer": "delivered", "clinic": "delivered"}
    assert region.mail.to("bo@example.net") == []
    assert len(region.mail.to("ana@example.org")) == 1


def test_a_preference_that_nobody_remembers_leads_back_to_discreet_messages(
    region: Region,
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)
    with region.scene.work(region.clinic_id) as work:
        work.connection.execute("UPDATE people SET detail = 'detailed', language = 'es'")

    body = {"person_id": region.client_id}
    assert recall(region, "preference.changed.v1", region.client_id, body)

    query = "SELECT detail, language FROM people WHERE role = 'client'"
    assert region.scene.rows(query) == [{"detail": "discreet", "language": "es"}]
