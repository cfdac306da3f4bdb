"""What a restored database of referrals is told again, and what it closes for not being told."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis import restored
from tests.integration.referrals.people import CLINIC, Desk


def recall(desk: Desk, type_: str, of: dict[str, Any], **facts: Any) -> bool:
    """Tell the service its own event again, as a restore does from the journal."""
    body = {"referral_id": of["id"], "clinic_id": of["clinic_id"], **facts}
    row = {
        "event_id": uuid4(),
        "type": f"referral.{type_}.v1",
        "versions": None,
        "aggregate": "referral",
        "aggregate_id": UUID(of["id"]),
        "epoch": 1,
        "sequence": 9,
        "org_id": CLINIC,
        "clinic_org_id": CLINIC,
        "traceparent": None,
        "occurred_at": datetime(2026, 11, 25, 9, tzinfo=UTC),
        "body": json.dumps(body).encode(),
    }
    [outcome] = restored.recall(desk.scene.workplace, [row])
    return outcome.is_recalled


@pytest.fixture
def submitted(desk: Desk) -> dict[str, Any]:
    return desk.submit()


def test_nobody_is_written_to_where_something_was_corrected_that_nobody_knows(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    assert desk.contact(submitted["id"])["allowed"]

    assert recall(
        desk, "corrected", submitted, client_id=submitted["client_id"], needs_changed=False
    )

    contact = desk.contact(submitted["id"])
    assert (contact["allowed"], contact["reason"]) == (False, "contact-disputed")
    assert contact["email"] is None
    assert not contact["progress_to_clinic"]
    assert [task["kind"] for task in desk.tasks()] == ["contact-disputed"]


def test_a_consent_that_ended_ends_again_and_tells_nobody_a_second_time(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    told = desk.events()

    assert recall(desk, "consent_ended", submitted, cause="withdrawn")

    now = desk.read(submitted["id"]).json
    assert now["status"] == "awaiting-consent"
    assert desk.needs(submitted["id"]) == []
    assert desk.contact(submitted["id"])["reason"] == "consent-ended"
    assert desk.events() == told


def test_a_withdrawal_by_the_client_silences_us_again(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    assert recall(desk, "withdrawn", submitted, by="client")

    assert desk.read(submitted["id"]).json["status"] == "withdrawn"
    assert desk.contact(submitted["id"])["reason"] == "withdrawn"


def test_what_cannot_be_brought_back_is_said_to_be_lost(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    unknown = {**submitted, "id": str(uuid4())}

    assert not recall(desk, "withdrawn", unknown, by="client")
    assert not recall(desk, "information_requested", submitted)


def test_a_consent_to_less_is_told_so_that_a_restore_learns_of_it(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    narrower = {"until": "2099-12-31", "scope": ["matching", "scheduling", "notification"]}

    reply = desk.do("give_consent", submitted["id"], body=narrower)

    assert reply.status == 200, reply.text
    assert desk.events()[-1] == "referral.corrected.v1"
