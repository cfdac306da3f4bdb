"""A pause: nobody is asked anything, nothing is lost, and nobody learns why."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.referrals.people import CLERK, CLINIC, COORDINATOR, Desk, referral
from tests.support import client


def test_a_pause_keeps_the_waiting_date_and_says_until_when_but_not_why(desk: Desk) -> None:
    submitted = desk.submit()
    until = (desk.scene.now + timedelta(days=20)).date().isoformat()

    paused = desk.do(
        "pause_referral", submitted["id"], body={"reason": "in-hospital", "until": until}
    ).json

    assert paused["received_at"] == submitted["received_at"]
    assert (paused["pause"]["until"], paused["pause"]["reason"]) == (until, "in-hospital")
    assert (paused["next_date"], paused["status"]) == (until, "submitted")
    name, told = desk.scene.events()[-1]
    assert (name, told) == (
        "referral.paused.v1",
        {"referral_id": submitted["id"], "clinic_id": str(CLINIC), "until": until},
    )
    assert desk.needs(submitted["id"])[0]["paused"] is True


def test_a_pause_without_an_end_is_asked_about_after_a_while(desk: Desk) -> None:
    submitted = desk.submit()

    paused = desk.do("pause_referral", submitted["id"], body={}).json

    today = desk.scene.now.date()
    assert paused["pause"]["until"] is None
    assert paused["next_date"] > (today + timedelta(days=25)).isoformat()


@pytest.mark.parametrize(
    "body",
    [
        {"until": "2001-01-01"},
        {"until": "2099-01-01"},
        {"until": "soon"},
        {"reason": "no-show"},
        {"why": "tired"},
    ],
)
def test_a_pause_that_cannot_be_meant_changes_nothing(desk: Desk, body: dict[str, Any]) -> None:
    submitted = desk.submit()
    before = desk.events()

    assert desk.do("pause_referral", submitted["id"], body=body).status == 422
    assert desk.read(submitted["id"]).json["pause"] is None
    assert desk.events() == before


def test_the_person_goes_on_when_they_say_so(desk: Desk) -> None:
    submitted = desk.submit()
    own = client(CLINIC, person=UUID(submitted["client_id"]))
    desk.do("pause_referral", submitted["id"], own, {})

    resumed = desk.do("resume_referral", submitted["id"], own)

    assert resumed.json["pause"] is None
    assert desk.events()[-1] == "referral.resumed.v1"
    assert desk.needs(submitted["id"])[0]["paused"] is False
    assert desk.do("resume_referral", submitted["id"], own).status == 409


def test_a_pause_ends_by_itself_on_its_day_and_no_earlier(desk: Desk) -> None:
    submitted = desk.submit()
    until = (desk.scene.now + timedelta(days=3)).date().isoformat()
    desk.do("pause_referral", submitted["id"], CLERK, {"until": until})

    desk.scene.pass_time(days=1)
    desk.scene.run_timer("end_pauses")
    early = desk.read(submitted["id"]).json["pause"]
    desk.scene.pass_time(days=3)
    desk.scene.run_timer("end_pauses")

    assert early is not None
    assert desk.read(submitted["id"]).json["pause"] is None
    assert desk.events()[-1] == "referral.resumed.v1"


def test_a_referral_that_has_ended_or_waits_for_consent_cannot_pause(desk: Desk) -> None:
    ended = desk.submit()
    desk.do("withdraw_referral", ended["id"])
    waiting = desk.submit(referral(consent=None))

    for one in (ended, waiting):
        assert desk.do("pause_referral", one["id"], COORDINATOR, {}).status == 409
