"""Asking for a peer without an account: for oneself, or for somebody close."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.browser import words_of
from tests.integration.referrals.people import CLINIC, OTHER_CLERK, Desk, referral
from tests.support import Reply

PAGE = f"/referrals/self/{CLINIC}"
TYPED = {
    "who": "self",
    "agreed": "yes",
    "client.given_name": "Amy",
    "client.family_name": "Baxter",
    "client.birth_date": "1987-02-20",
    "client.languages": "es",
    "client.email": "amy.shaw@example.com",
    "client.postal_code": "74048",
    "modes": "video",
}


def send(desk: Desk, path: str = PAGE, **typed: str) -> Reply:
    return desk.scene.request("POST", path, form={**TYPED, **typed})


def only_one(desk: Desk) -> dict[str, Any]:
    [row] = desk.scene.rows("SELECT id FROM referrals")
    found: dict[str, Any] = desk.read(str(row["id"])).json
    return found


def test_somebody_asks_for_themselves_and_the_search_begins(desk: Desk) -> None:
    thanks = send(desk)

    assert thanks.status == 200
    assert "It has arrived" in words_of(thanks)
    kept = only_one(desk)
    assert (kept["source"], kept["status"]) == ("self", "submitted")
    assert (kept["consent"]["evidence"], kept["client"]["given_name"]) == ("own-form", "Amy")
    assert desk.events() == ["referral.submitted.v1"]


def test_a_relative_asks_and_nothing_leaves_the_clinic_until_the_person_agrees(desk: Desk) -> None:
    thanks = send(desk, who="relative")

    assert "The clinic asks the person first" in words_of(thanks)
    kept = only_one(desk)
    assert (kept["source"], kept["status"]) == ("relative", "awaiting-consent")
    assert kept["consent"] is None
    assert desk.events() == []


def test_a_button_pressed_twice_asks_once(desk: Desk) -> None:
    first, second = send(desk), send(desk)
    assert words_of(first) == words_of(second)
    assert len(desk.scene.rows("SELECT 1 FROM referrals")) == 1

    desk.scene.pass_time(hours=25)
    send(desk)
    assert len(desk.scene.rows("SELECT 1 FROM referrals")) == 2


def test_the_page_tells_nothing_of_whom_the_clinic_knows(desk: Desk) -> None:
    unknown = send(desk)
    desk.submit(referral())

    again = send(desk)

    assert words_of(unknown) == words_of(again)
    assert "Amy" not in again.text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"who": ""}, "who"),
        ({"who": "clinic"}, "who"),
        ({"agreed": ""}, "agreed"),
        ({"client.given_name": ""}, "client.given_name"),
        ({"client.email": "x"}, "client.email"),
        ({"client.postal_code": "00000"}, "client.postal_code"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_kept(
    desk: Desk, wrong: dict[str, str], field: str
) -> None:
    shown = send(desk, **wrong)

    assert shown.status == 422
    assert f'<a href="#{field}">' in shown.text
    assert "Baxter" in shown.text
    assert desk.scene.rows("SELECT 1 FROM referrals") == []


def test_nothing_but_the_forms_own_fields_is_taken(desk: Desk) -> None:
    send(desk, clinic_id=str(uuid4()), urgency="urgent", **{"client.record_number": "1"})

    kept = only_one(desk)
    assert (kept["clinic_id"], kept["urgency"]) == (str(CLINIC), "routine")
    assert "record_number" not in kept["client"]


def test_a_clinic_that_is_not_known_has_no_page(desk: Desk) -> None:
    nowhere = f"/referrals/self/{uuid4()}"

    assert desk.scene.request("GET", nowhere).status == 404
    assert send(desk, nowhere).status == 404
    assert desk.scene.request("GET", "/referrals/self/x").status == 404


def test_another_sites_form_is_refused(desk: Desk) -> None:
    headers = {"sec-fetch-site": "cross-site"}

    refused = desk.scene.request("POST", PAGE, form=TYPED, headers=headers)

    assert refused.status == 403
    assert desk.scene.rows("SELECT 1 FROM referrals") == []


def test_only_the_clinics_own_people_see_who_asked(desk: Desk) -> None:
    send(desk)

    assert desk.read(only_one(desk)["id"], OTHER_CLERK).status == 404
