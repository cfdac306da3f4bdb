"""The person's own page, by the link in their messages and by their account."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.region.forms import forms_of
from tests.integration.browser import Browser, words_of
from tests.integration.referrals.people import CLINIC, MATCH, Desk, referral
from tests.support import Reply, client


@pytest.fixture
def submitted(desk: Desk) -> dict[str, Any]:
    return desk.submit(referral({"languages": ["en"]}))


def link_of(desk: Desk, submitted: dict[str, Any]) -> str:
    path: str = desk.contact(submitted["id"])["page"]
    return path


def show(desk: Desk, path: str) -> Reply:
    return desk.scene.request("GET", path)


def press(desk: Desk, path: str, act: str, **typed: str) -> Reply:
    return desk.scene.request("POST", path, form={"act": act, **typed})


def acts_of(reply: Reply) -> set[str]:
    return {value for form in forms_of(reply.text) for _, value in form.buttons}


def test_the_page_says_where_things_stand_and_what_comes_next(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)
    assert "We are looking for somebody who fits you" in words_of(show(desk, path))

    desk.match("confirmed", submitted, peer_id=str(uuid4()), mode="video")
    session = uuid4()
    at = (desk.scene.now + timedelta(days=2)).replace(microsecond=0)
    told = {"session_id": session, "match_id": MATCH, "starts_at": at.isoformat()}
    desk.follow("session.booked.v1", submitted, session, **told)

    page = words_of(show(desk, path))
    assert "Next, a first time is arranged with you" in page
    assert "A session was booked" in page
    assert "What comes next" in page
    moved = {**told, "cause": "client"}
    desk.follow("session.cancelled.v1", submitted, session, **moved)
    assert "What comes next" not in words_of(show(desk, path))


def test_nothing_on_the_page_names_the_person_or_what_they_wished_for(desk: Desk) -> None:
    named = desk.submit(referral({"languages": ["en"]}, wishes="Somebody kind", topics=["grief"]))

    page = show(desk, link_of(desk, named)).text

    for secret in ("Amy", "Baxter", "Somebody kind", "rief", "1032702", "amy.shaw"):
        assert secret not in page


def test_the_person_pauses_and_goes_on_by_the_link(desk: Desk, submitted: dict[str, Any]) -> None:
    path = link_of(desk, submitted)

    paused = press(desk, path, "pause", reason="in-hospital")

    assert (paused.status, paused.headers["Location"]) == (303, path)
    assert "It lasts until you say so" in words_of(show(desk, path))
    assert desk.events()[-1] == "referral.paused.v1"
    press(desk, path, "resume")
    assert press(desk, path, "resume").status == 303
    assert desk.events().count("referral.resumed.v1") == 1


def test_a_pause_into_the_past_is_told_at_its_field_and_changes_nothing(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)

    answered = press(desk, path, "pause", until="2001-01-01")

    assert answered.status == 422
    assert "Has to be a day within the coming year" in words_of(answered)
    assert 'value="2001-01-01"' in answered.text
    assert desk.read(submitted["id"]).json["pause"] is None


def test_another_peer_can_be_asked_for_once_there_is_one(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)
    assert "another-peer" not in acts_of(show(desk, path))
    assert press(desk, path, "another-peer").status == 409

    desk.match("confirmed", submitted, peer_id=str(uuid4()), mode="video")
    assert "another-peer" in acts_of(show(desk, path))
    assert press(desk, path, "another-peer").status == 303
    assert desk.events()[-1] == "referral.another_peer_asked.v1"


def test_consent_is_taken_back_and_given_again_by_the_link(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)

    press(desk, path, "no-longer-agree")
    assert desk.events()[-1] == "referral.consent_ended.v1"
    assert acts_of(show(desk, path)) == {"agree", "not-me"}
    press(desk, path, "agree", scope="matching")

    assert desk.events()[-1] == "referral.consent_renewed.v1"
    consent = desk.read(submitted["id"]).json["consent"]
    assert (consent["scope"], consent["evidence"]) == (["matching"], "link")


def test_the_support_is_stopped_by_the_link_and_the_page_stays(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)

    press(desk, path, "withdraw")

    assert desk.events()[-1] == "referral.withdrawn.v1"
    assert "This support has been stopped" in words_of(show(desk, path))
    assert acts_of(show(desk, path)) == {"not-me"}
    assert press(desk, path, "withdraw").status == 409


def test_whoever_is_not_the_person_closes_the_link_and_ends_the_messages(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)

    press(desk, path, "not-me")

    assert show(desk, path).status == 410
    assert desk.contact(submitted["id"])["allowed"] is False


def test_a_link_of_a_referral_that_turned_out_to_be_another_persons_is_closed(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    path = link_of(desk, submitted)
    with desk.scene.workplace.begin([CLINIC]) as work:
        query = "UPDATE referrals SET client_id = gen_random_uuid() WHERE id = %s"
        work.connection.execute(query, (submitted["id"],))

    assert show(desk, path).status == 410
    assert press(desk, path, "withdraw").status == 410


@pytest.mark.parametrize("act", ["", "accept", "erase"])
def test_no_other_step_is_taken_by_the_link(
    desk: Desk, submitted: dict[str, Any], act: str
) -> None:
    before = desk.events()

    assert press(desk, link_of(desk, submitted), act).status == 422
    assert desk.events() == before


def test_somebody_with_an_account_does_the_same_without_a_link(
    desk: Desk, submitted: dict[str, Any]
) -> None:
    person = Browser(desk.scene, client(CLINIC, person=UUID(submitted["client_id"])))
    assert "We are looking for somebody" in words_of(person.get("/referrals/mine"))

    assert person.send("/referrals/mine", {"act": "pause", "until": ""}).status == 303

    assert "You are taking a pause" in words_of(person.get("/referrals/mine"))
    assert desk.events()[-1] == "referral.paused.v1"
    somebody = Browser(desk.scene, client(CLINIC, person=uuid4()))
    assert somebody.get("/referrals/mine").status == 404


def test_the_page_is_in_the_language_of_the_message(desk: Desk) -> None:
    spoken = desk.submit(referral({"languages": ["es-MX"]}))

    assert "Su apoyo entre pares" in words_of(show(desk, link_of(desk, spoken)))
