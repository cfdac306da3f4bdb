"""Pairs from before Kindred: taken over once, with their own waiting date, asking nobody."""

from typing import Any
from uuid import uuid4

import pytest

from services.chassis.roles import OPERATOR
from tests.integration.referrals.people import CLINIC, COORDINATOR, OTHER_CLINIC, Desk, referral
from tests.support import Reply, caller

PEER, ORGANISATION = uuid4(), uuid4()
IMPORTER = caller(OPERATOR, CLINIC, ORGANISATION)


def pair(**more: Any) -> dict[str, Any]:
    body = referral({"languages": ["en"]}) | {
        "clinic_id": str(CLINIC),
        "external_reference": "import/1032702",
        "received_at": "2024-05-02T12:00:00Z",
        "peer_id": str(PEER),
        "peer_organisation_id": str(ORGANISATION),
        "mode": "video",
    }
    return body | more


def take_over(desk: Desk, by: Any = IMPORTER, **more: Any) -> Reply:
    return desk.scene.call("take_over", by, pair(**more))


def test_a_pair_comes_with_its_first_day_and_its_peer_and_nobody_is_asked(desk: Desk) -> None:
    taken = take_over(desk)

    assert taken.status == 201, taken.text
    assert taken.json["received_at"].startswith("2024-05-02T12:00:00")
    assert (taken.json["status"], taken.json["source"]) == ("accepted", "import")
    assert taken.json["consent"]["evidence"] == "paper"
    name, told = desk.scene.events()[-1]
    assert name == "referral.taken_over.v1"
    assert (told["peer_id"], told["mode"]) == (str(PEER), "video")
    assert desk.events() == ["referral.taken_over.v1"]
    assert "taken-over" in desk.steps(taken.json["id"])


def test_the_same_pair_again_is_answered_as_it_is_and_changes_nothing(desk: Desk) -> None:
    first = take_over(desk).json
    desk.do("withdraw_referral", first["id"])
    before = desk.events()

    again = take_over(desk, client={**referral()["client"], "given_name": "Bea"})

    assert (again.status, again.json["id"]) == (200, first["id"])
    assert again.json["status"] == "withdrawn"
    assert desk.events() == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"received_at": "2099-01-01T00:00:00Z"}, "received_at"),
        ({"consent": None}, "consent"),
        ({"consent": {"scope": ["notification"]}}, "consent.scope"),
        ({"consent": {"until": "2001-01-01"}}, "consent.until"),
        ({"external_reference": ""}, "external_reference"),
        ({"clinic_id": str(OTHER_CLINIC)}, "clinic_id"),
        ({"mode": "letter"}, "mode"),
        ({"peer_id": "x"}, "peer_id"),
        ({"peer_organisation_id": str(uuid4())}, "peer_organisation_id"),
    ],
)
def test_a_pair_that_cannot_be_is_told_at_its_field_and_leaves_nothing(
    desk: Desk, wrong: dict[str, Any], field: str
) -> None:
    refused = take_over(desk, **wrong)

    assert refused.status == 422
    assert any(name.startswith(field) for name in refused.json["errors"]), refused.json["errors"]
    assert desk.events() == []


def test_only_an_operator_of_the_clinic_takes_pairs_over(desk: Desk) -> None:
    assert take_over(desk, COORDINATOR).status == 403
    assert take_over(desk, caller(OPERATOR, OTHER_CLINIC)).status == 422


def test_many_pairs_are_taken_over_at_once_or_none_of_them(desk: Desk) -> None:
    second = referral()["client"] | {"given_name": "Bea", "record_number": "2"}
    pairs = [pair(), pair(client=second, external_reference="import/2")]
    wrong = [*pairs, pair(external_reference="import/3", received_at="2099-01-01T00:00:00Z")]

    refused = desk.scene.call("take_over_many", IMPORTER, {"pairs": wrong})
    first = desk.scene.call("take_over_many", IMPORTER, {"pairs": pairs})
    again = desk.scene.call("take_over_many", IMPORTER, {"pairs": pairs})

    assert refused.status == 422
    assert [one["added"] for one in first.json["referrals"]] == [True, True]
    assert [one["added"] for one in again.json["referrals"]] == [False, False]
    assert desk.events() == ["referral.taken_over.v1"] * 2


def waiting(**more: Any) -> dict[str, Any]:
    body = referral({"languages": ["en"]}) | {
        "clinic_id": str(CLINIC),
        "external_reference": "import/1032703",
        "received_at": "2026-05-02T12:00:00Z",
    }
    return body | more


def take_in(desk: Desk, *rows: dict[str, Any], by: Any = IMPORTER) -> Reply:
    return desk.scene.call("take_in_waiting", by, {"referrals": list(rows)})


def test_who_waits_already_keeps_the_day_on_which_they_came(desk: Desk) -> None:
    taken = take_in(desk, waiting(accepted=True))

    assert taken.status == 201, taken.text
    now = desk.read(taken.json["referrals"][0]["id"]).json
    assert now["received_at"].startswith("2026-05-02T12:00:00")
    assert (now["status"], now["source"]) == ("accepted", "import")
    name, told = desk.scene.events()[-1]
    assert desk.events() == ["referral.submitted.v1"]
    assert (name, told["accepted"]) == ("referral.submitted.v1", True)
    assert told["received_at"].startswith("2026-05-02T12:00:00")


def test_who_waits_without_consent_or_a_decision_has_both_still_before_them(desk: Desk) -> None:
    rows = (waiting(), waiting(external_reference="import/1032704", consent=None))

    taken = take_in(desk, *rows).json["referrals"]

    states = [desk.read(one["id"]).json["status"] for one in taken]
    assert states == ["submitted", "awaiting-consent"]
    assert desk.events() == ["referral.submitted.v1"]


def test_the_same_list_again_changes_nothing_and_a_wrong_row_keeps_all_of_it_out(
    desk: Desk,
) -> None:
    ahead = waiting(external_reference="import/1032704", received_at="2099-01-01T00:00:00Z")
    assert take_in(desk, waiting(), ahead).status == 422
    assert desk.events() == []
    first = take_in(desk, waiting()).json["referrals"]

    again = take_in(desk, waiting(accepted=True)).json["referrals"]

    assert [(one["id"], one["added"]) for one in again] == [(first[0]["id"], False)]
    assert desk.events() == ["referral.submitted.v1"]


def test_a_list_of_a_clinic_that_is_not_acted_for_is_refused(desk: Desk) -> None:
    assert take_in(desk, waiting(clinic_id=str(OTHER_CLINIC))).status == 422
    assert take_in(desk, waiting(), by=COORDINATOR).status == 403
