"""The same person is recognised within one clinic, never by another; mistakes can be undone."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.referrals.people import (
    CLERK,
    CLINIC,
    COORDINATOR,
    OTHER_CLERK,
    OTHER_CLINIC,
    Desk,
    referral,
)
from tests.support import coordinator

OF_BOTH = coordinator(CLINIC, OTHER_CLINIC)


@pytest.mark.parametrize(
    "again",
    [
        {"given_name": "Amie"},
        {"record_number": None, "given_name": " AMY ", "family_name": "Báxter"},
        {"record_number": "77"},
    ],
    ids=["by record number", "by name and birth date", "by contact despite another record"],
)
def test_the_same_person_is_linked_and_keeps_one_id(desk: Desk, again: dict[str, Any]) -> None:
    first = desk.submit()

    second = desk.submit(referral(again))

    assert second["linked_referral_id"] == first["id"]
    assert second["client_id"] == first["client_id"]
    assert desk.scene.events()[-1][1]["client_id"] == first["client_id"]


@pytest.mark.parametrize(
    "other",
    [
        {"record_number": "77", "email": "someone@example.com"},
        {"record_number": None, "birth_date": "1987-02-21"},
        {"given_name": "Bo", "birth_date": "1950-01-01", "email": "bo@example.com"},
    ],
    ids=["two records", "another birthday", "a mistyped record"],
)
def test_somebody_else_is_not_linked(desk: Desk, other: dict[str, Any]) -> None:
    first = desk.submit()

    second = desk.submit(referral(other))

    assert second["linked_referral_id"] is None
    assert second["client_id"] != first["client_id"]


def test_another_clinic_never_learns_and_the_coordinator_of_both_does(desk: Desk) -> None:
    desk.register(OTHER_CLINIC)
    here = desk.submit()
    there = desk.submit(referral({"record_number": "other"}), OTHER_CLERK)

    assert there["linked_referral_id"] is None
    assert there["client_id"] != here["client_id"]
    assert "same_person_elsewhere" not in there
    assert desk.read(here["id"], COORDINATOR).json["same_person_elsewhere"] == []
    assert desk.read(here["id"], OF_BOTH).json["same_person_elsewhere"] == [there["id"]]


def test_a_wrong_link_is_undone_with_an_id_of_its_own(desk: Desk) -> None:
    first = desk.submit()
    second = desk.submit()

    alone = desk.do("unlink_referral", second["id"], CLERK).json

    assert alone["linked_referral_id"] is None
    assert alone["client_id"] not in {first["client_id"]}
    (name, event) = desk.scene.events()[-1]
    assert name == "referral.corrected.v1"
    assert (event["client_id"], event["needs_changed"]) == (alone["client_id"], False)
    assert desk.do("unlink_referral", second["id"], CLERK).status == 409


def test_a_corrected_contact_is_used_at_once_in_every_open_referral(desk: Desk) -> None:
    first, second = desk.submit(), desk.submit()

    reply = desk.do("correct_client", second["id"], CLERK, {"email": "amy@example.org"})

    assert reply.status == 200
    assert desk.contact(first["id"])["email"] == "amy@example.org"
    assert desk.contact(second["id"])["email"] == "amy@example.org"
    assert desk.events()[-2:] == ["referral.corrected.v1"] * 2
    assert desk.scene.events()[-1][1]["needs_changed"] is False


def test_a_correction_of_what_is_ranked_by_says_so(desk: Desk) -> None:
    submitted = desk.submit()

    desk.do("correct_client", submitted["id"], CLERK, {"languages": ["en"]})

    assert desk.scene.events()[-1][1]["needs_changed"] is True
    assert desk.needs(submitted["id"])[0]["languages"] == ["en"]


def test_a_correction_that_changes_nothing_is_no_news(desk: Desk) -> None:
    submitted = desk.submit()

    reply = desk.do("correct_client", submitted["id"], CLERK, {"given_name": "Amy"})

    assert reply.json["version"] == submitted["version"]
    assert desk.events() == ["referral.submitted.v1"]


def test_a_correction_keeps_what_it_does_not_name(desk: Desk) -> None:
    times = [{"day": "mon", "from": "09:00", "to": "12:00"}]
    submitted = desk.submit(referral({"safe_contact": {"times": times}}))

    desk.do("correct_client", submitted["id"], CLERK, {"safe_contact": {"shared_phone": True}})

    contact = desk.contact(submitted["id"])
    assert (contact["safe_times"], contact["shared_phone"]) == (times, True)


def test_a_representative_is_corrected_in_part(desk: Desk) -> None:
    submitted = desk.submit(referral(representative={"name": "Mia Baxter", "phone": "555"}))
    correction = {"representative": {"email": "mia@example.com"}}

    corrected = desk.do("correct_client", submitted["id"], CLERK, correction)

    assert corrected.status == 200, corrected.text
    assert desk.contact(submitted["id"])["name"] == "Mia Baxter"
    assert desk.contact(submitted["id"])["email"] == "mia@example.com"


@pytest.mark.parametrize(
    ("correction", "field"),
    [
        ({"birth_date": None}, "birth_date"),
        ({"postal_code": None}, "postal_code"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"safe_contact": {"times": [{"day": "mon"}]}}, "safe_contact.times.0.from"),
        ({"given_name": None}, "given_name"),
        ({"representative": {"email": "mia@example.com"}}, "representative.name"),
    ],
)
def test_a_correction_may_not_take_away_what_is_needed(
    desk: Desk, correction: dict[str, Any], field: str
) -> None:
    submitted = desk.submit()

    reply = desk.do("correct_client", submitted["id"], CLERK, correction)

    assert reply.status == 422
    assert field in reply.json["errors"]


def test_a_reachable_number_settles_the_task(desk: Desk) -> None:
    submitted = desk.submit(referral({"phone": "555-555-5555"}))
    assert [task["kind"] for task in desk.tasks()] == ["unreachable-phone"]

    desk.do("correct_client", submitted["id"], CLERK, {"phone": "918-555-0123"})

    assert desk.tasks() == []
    assert desk.contact(submitted["id"])["phone"] == "+19185550123"


def test_a_childs_messages_go_to_the_representative_and_never_to_the_child(desk: Desk) -> None:
    child = desk.submit(referral({"birth_date": "2016-01-15"}))
    alone = desk.contact(child["id"])
    parent = {"name": "Pat Example", "email": "pat@example.com", "relationship": "mother"}

    desk.do("correct_client", child["id"], CLERK, {"representative": parent})

    assert (alone["email"], alone["preferred_channel"]) == (None, "reception")
    represented = desk.contact(child["id"])
    assert represented["through_representative"] is True
    assert (represented["name"], represented["email"]) == ("Pat Example", "pat@example.com")
    assert desk.tasks() == []


def test_two_submissions_at_once_become_one_person(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: desk.submit(), range(8)))

    assert len({one["client_id"] for one in made}) == 1
