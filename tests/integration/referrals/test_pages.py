"""The pages of clinics and coordinators: signing in, referring, and taking a referral on."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from deploy.region.forms import forms_of
from services.chassis.roles import SUPERVISOR
from services.referrals.domain.person import GAPS
from services.referrals.domain.source import KEYED_IN
from services.referrals.handlers.case import CONTACT_DISPUTED
from services.referrals.handlers.follow import (
    MESSAGE_UNDELIVERABLE,
    NO_PEER_FOUND,
    REACH_OUT,
    TELL_PERSON,
)
from services.referrals.pages import wording
from tests.integration.browser import Browser, words_of
from tests.integration.referrals.people import (
    CLERK,
    CLIENT,
    CLINIC,
    COORDINATOR,
    OTHER_CLERK,
    PEER_ORGANISATION,
    Desk,
    referral,
)
from tests.support import caller, client, peer

TYPED = {
    "client.given_name": "Amy",
    "client.family_name": "Baxter",
    "client.birth_date": "1987-02-20",
    "client.languages": "es",
    "client.email": "amy.shaw@example.com",
    "client.postal_code": "74048",
    "urgency": "soon",
    "agreed": "yes",
}


@pytest.fixture
def clinic(desk: Desk) -> Browser:
    return Browser(desk.scene, CLERK)


@pytest.fixture
def coordinator(desk: Desk) -> Browser:
    return Browser(desk.scene, COORDINATOR)


def test_a_clinic_refers_somebody_by_the_form_and_finds_them_in_its_list(
    desk: Desk, clinic: Browser
) -> None:
    sent = clinic.send("/referrals/new", TYPED)

    assert sent.status == 303, words_of(sent)
    shown = clinic.get(sent.headers["Location"])
    assert "Amy Baxter" in words_of(shown)
    assert "With the coordinator" in words_of(shown)
    assert "Sent on with the person's consent" in words_of(shown)
    assert "Amy Baxter" in words_of(clinic.get("/referrals/"))
    assert desk.events() == ["referral.submitted.v1"]


def test_a_form_with_mistakes_names_each_at_its_field_and_keeps_what_was_typed(
    desk: Desk, clinic: Browser
) -> None:
    typed = {**TYPED, "client.birth_date": "", "client.postal_code": "00000", "agreed": ""}

    shown = clinic.send("/referrals/new", typed)

    assert shown.status == 422
    named = re.findall(r'<li><a href="#([\w.]+)">', shown.text)
    assert set(named) == {"client.birth_date", "client.postal_code", "agreed"}
    for name in named:
        assert f'id="{name}"' in shown.text
        assert f'id="{name}-error"' in shown.text
    assert 'value="amy.shaw@example.com"' in shown.text
    assert desk.events() == []
    assert "There is no referral here yet." in words_of(clinic.get("/referrals/"))


def test_a_referral_without_the_persons_agreement_stays_until_it_is_noted(
    desk: Desk, clinic: Browser
) -> None:
    sent = clinic.send("/referrals/new", {**TYPED, "agreed": "no"})
    place = sent.headers["Location"]
    assert "Waiting for consent" in words_of(clinic.get(place))
    assert desk.events() == []

    noted = clinic.send(place, {"act": "consent"})

    assert noted.status == 303, words_of(noted)
    assert "With the coordinator" in words_of(clinic.get(place))
    assert desk.events() == ["referral.submitted.v1"]


def test_a_coordinator_accepts_asks_or_does_not_take_on(
    desk: Desk, coordinator: Browser, clinic: Browser
) -> None:
    one, other, third = (f"/referrals/{desk.submit(person(name))['id']}" for name in "ABC")

    assert coordinator.send(one, {"act": "accept"}).status == 303
    assert "Accepted" in words_of(coordinator.get(one))

    question = {"act": "request-information", "asked_for": "contact", "text": "A landline?"}
    assert coordinator.send(other, question).status == 303
    assert "A landline?" in words_of(clinic.get(other))
    assert clinic.send(other, {"act": "provide-information", "text": "None."}).status == 303
    assert "None." in words_of(coordinator.get(other))

    declined = coordinator.send(third, {"act": "decline", "reason": "no-capacity"})
    assert declined.status == 303
    assert "Not taken on: No places at present" in words_of(clinic.get(third))


def person(name: str) -> dict[str, Any]:
    return referral({"given_name": name, "record_number": name})


def test_the_second_of_two_coordinators_is_told_and_changes_nothing(
    desk: Desk, coordinator: Browser
) -> None:
    place = f"/referrals/{desk.submit()['id']}"
    question = {"act": "request-information", "asked_for": "contact", "text": "Which room?"}
    form = {**coordinator.form(place, "request-information"), **question}
    coordinator.send(place, {"act": "accept"})

    second = coordinator.post(place, form)

    assert second.status == 412
    told = words_of(second)
    assert "Somebody else changed this in the meantime." in told
    news = told.partition("What has changed since you opened it")[2].partition("What has happened")
    assert "Accepted (coordinator)" in news[0]
    assert "Sent on with" not in news[0]
    assert "What you had written Which room?" in told
    assert desk.read(place.rpartition("/")[2]).json["status"] == "accepted"


def test_a_step_of_another_role_is_refused(desk: Desk, clinic: Browser) -> None:
    place = f"/referrals/{desk.submit()['id']}"

    refused = clinic.send(place, {"act": "accept"})

    assert refused.status == 403
    assert desk.read(place.rpartition("/")[2]).json["status"] == "submitted"


def test_another_clinics_referral_is_not_there(desk: Desk) -> None:
    place = f"/referrals/{desk.submit()['id']}"
    stranger = Browser(desk.scene, OTHER_CLERK)

    missing = stranger.get(f"/referrals/{uuid4()}")
    theirs = stranger.get(place)

    assert (theirs.status, missing.status) == (404, 404)
    assert words_of(theirs) == words_of(missing)


@pytest.mark.parametrize("path", ["/referrals/", "/referrals/new", "/referrals/{id}"])
def test_a_page_without_a_session_leads_to_the_sign_in_and_back(desk: Desk, path: str) -> None:
    path = path.format(id=desk.submit()["id"])
    nobody = Browser(desk.scene, None)

    sent = nobody.get(path)

    assert (sent.status, sent.headers["Location"]) == (303, f"/sign-in?then={quote(path, safe='')}")


def test_a_role_without_the_page_is_refused_it(desk: Desk) -> None:
    somebody = client(person=uuid4())

    assert Browser(desk.scene, somebody).get("/referrals/").status == 403


def test_a_form_from_elsewhere_changes_nothing(desk: Desk, coordinator: Browser) -> None:
    place = f"/referrals/{desk.submit()['id']}"
    form = coordinator.form(place, "accept")
    other = Browser(desk.scene, COORDINATOR)

    without = coordinator.post(place, {**form, "form_token": ""})
    from_another_session = other.post(place, form)
    cross_site = coordinator.post(place, form, **{"sec-fetch-site": "cross-site"})
    same_site = coordinator.post(place, form, **{"sec-fetch-site": "same-site"})
    other_origin = coordinator.post(place, form, origin="https://elsewhere.example")

    answers = [without, from_another_session, cross_site, same_site, other_origin]
    assert [reply.status for reply in answers] == [403] * 5
    assert desk.read(place.rpartition("/")[2]).json["status"] == "submitted"
    own = coordinator.post(place, form, **{"sec-fetch-site": "same-origin", "origin": "null"})
    assert own.status == 303


def test_a_cookie_that_was_changed_or_made_by_another_service_is_nobodys(
    desk: Desk, coordinator: Browser
) -> None:
    name, _, value = coordinator.headers["cookie"].partition("=")
    statement, _, seen = value.partition("~")
    head, claims, signature = statement.split(".")

    for changed in (
        f"{head}.{claims[:-2]}AA.{signature}~{seen}",
        f"{seen}~{seen}",
        f"{statement}~{statement}",
        statement,
        "~",
        "x" * 20_000,
    ):
        coordinator.headers["cookie"] = f"{name}={changed}"
        assert coordinator.get("/referrals/").status == 303
    bearer = desk.scene.token(COORDINATOR)
    coordinator.headers["cookie"] = f"{name}={bearer}~{seen}"
    assert coordinator.get("/referrals/").status == 303


def test_half_an_hour_of_nothing_ends_the_session_and_says_so(
    desk: Desk, coordinator: Browser
) -> None:
    desk.scene.pass_time(minutes=29)
    assert coordinator.get("/referrals/").status == 200
    desk.scene.pass_time(minutes=29)
    assert coordinator.get("/referrals/").status == 200
    desk.scene.pass_time(minutes=30)

    sent = coordinator.get("/referrals/")

    assert sent.status == 303
    assert sent.headers["Location"].endswith("&why=idle")
    shown = Browser(desk.scene, None).get(sent.headers["Location"])
    assert "nothing happened for half an hour" in words_of(shown)


def test_a_session_ends_after_half_a_day_however_busy(desk: Desk, coordinator: Browser) -> None:
    for _ in range(35):
        desk.scene.pass_time(minutes=20)
        assert coordinator.get("/referrals/").status == 200
    desk.scene.pass_time(minutes=20)

    assert coordinator.get("/referrals/").status == 303


def test_what_was_typed_while_the_session_ended_can_be_sent_after_signing_in_again(
    desk: Desk, clinic: Browser
) -> None:
    form = {**TYPED, "wishes": 'Someone "calm"', "form_token": clinic.token("/referrals/new")}
    before = clinic.cookie
    desk.scene.pass_time(minutes=45)

    kept = clinic.post("/referrals/new", form)

    assert kept.status == 401
    assert "Nothing that you typed is lost" in words_of(kept)
    assert desk.events() == []
    [again] = forms_of(kept.text)
    clinic.sign_in(CLERK, before=before)
    fields = again.fields
    assert clinic.post("/referrals/new", fields).status == 303
    assert desk.events() == ["referral.submitted.v1"]


def test_nobody_else_takes_up_a_session_that_went_idle(desk: Desk, clinic: Browser) -> None:
    token = clinic.token("/referrals/new")
    before = clinic.cookie
    other = Browser(desk.scene, OTHER_CLERK)
    other.sign_in(OTHER_CLERK, before=before)

    assert other.post("/referrals/new", {**TYPED, "form_token": token}).status == 403


def test_a_page_says_where_it_may_load_from_and_holds_no_script(
    desk: Desk, coordinator: Browser
) -> None:
    for path in ("/referrals/", f"/referrals/{desk.submit()['id']}", "/sign-in"):
        page = coordinator.get(path)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        assert "<script" not in page.text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []


def test_a_name_that_looks_like_markup_is_shown_as_it_was_typed(
    desk: Desk, clinic: Browser
) -> None:
    sent = clinic.send("/referrals/new", {**TYPED, "client.given_name": "<b>Amy</b>"})

    shown = clinic.get(sent.headers["Location"])

    assert "&lt;b&gt;Amy&lt;/b&gt;" in shown.text
    assert "<b>" not in shown.text


def test_a_reader_of_spanish_gets_the_pages_in_spanish(desk: Desk, clinic: Browser) -> None:
    spanish = {"accept-language": "es"}
    place = f"/referrals/{desk.submit()['id']}"

    assert "Derivaciones" in words_of(clinic.get("/referrals/", **spanish))
    assert "Con la persona coordinadora" in words_of(clinic.get(place, **spanish))
    assert CLIENT["family_name"] in words_of(clinic.get(place, **spanish))


def test_a_peer_learns_how_their_person_is_called_once_they_are_matched_and_no_longer(
    desk: Desk,
) -> None:
    submitted = desk.submit(referral({"preferred_name": "Ames"}))
    place = f"/referrals/fragments/names/{submitted['id']}"
    facts: dict[str, Any] = {"peer_organisation_id": PEER_ORGANISATION}
    peer_id = uuid4()
    theirs = Browser(desk.scene, peer(PEER_ORGANISATION, person=peer_id))
    colleague = Browser(desk.scene, peer(PEER_ORGANISATION, person=uuid4()))
    assert theirs.get(place).status == 404

    desk.match("confirmed", submitted, peer_id=peer_id, mode="phone", **facts)

    named = [theirs.get(place), theirs.get(place)]
    assert [(reply.status, reply.text) for reply in named] == [(200, "Ames")] * 2
    assert colleague.get(place).status == 404
    query = "SELECT recipient, fields FROM disclosures WHERE purpose = 'peer-support'"
    told = desk.scene.rows(query)
    assert told == [{"recipient": f"peer:{peer_id}", "fields": ["preferred_name"]}]
    desk.match("ended", submitted, peer_id=peer_id, reason="another-peer", **facts)
    assert theirs.get(place).status == 404


@pytest.mark.parametrize(
    "odd",
    [
        {"version": "\u00b2"},
        {"version": "9" * 5000},
        {"client": "x", "act": "decline"},
        {"reason": "x", "reason.deeper": "y", "act": "decline"},
        {"reason.deeper": "y", "reason": "x", "act": "decline"},
        {"act": "decline", "reason": "no-capacity", "nobody-knows": "x"},
    ],
)
def test_a_form_that_no_page_of_ours_sends_is_refused_and_breaks_nothing(
    desk: Desk, coordinator: Browser, odd: dict[str, str]
) -> None:
    place = f"/referrals/{desk.submit()['id']}"

    sent = coordinator.post(place, {**coordinator.form(place, "accept"), **odd})

    assert 400 <= sent.status < 500, words_of(sent)
    assert desk.read(place.rpartition("/")[2]).json["status"] == "submitted"


@pytest.mark.parametrize("odd", [{"client": "x"}, {"consent": "x"}, {"client.safe_contact": "x"}])
def test_a_referral_form_with_a_field_in_the_place_of_others_breaks_nothing(
    desk: Desk, clinic: Browser, odd: dict[str, str]
) -> None:
    assert clinic.send("/referrals/new", {**odd, **TYPED}).status < 500
    assert clinic.send("/referrals/new", odd).status == 422


@pytest.mark.parametrize(
    "then",
    ["/a\r\nSet-Cookie: x=y", "/\t/elsewhere.example", "/a b", "//elsewhere.example", "/\u00e9"],
)
def test_where_to_go_after_signing_in_is_never_more_than_a_plain_path(
    desk: Desk, then: str, tmp_path: Path
) -> None:
    accounts = tmp_path / "demo.json"
    told: dict[str, Any] = {"role": "coordinator", "account": "sam", "orgs": [], "person": None}
    accounts.write_text(json.dumps({"organisations": [], "accounts": [told]}))
    desk.scene.workplace.settings = replace(desk.scene.settings, demo=True, demo_accounts=accounts)

    entered = Browser(desk.scene, None).post("/sign-in", {"account": "sam", "then": then})

    assert (entered.status, entered.headers["Location"]) == (303, "/")


def test_outside_the_demo_no_account_is_offered_or_let_in(desk: Desk, tmp_path: Path) -> None:
    accounts = tmp_path / "demo.json"
    told: dict[str, Any] = {"role": "coordinator", "account": "sam", "orgs": [], "person": None}
    accounts.write_text(json.dumps({"organisations": [], "accounts": [told]}))
    desk.scene.workplace.settings = replace(desk.scene.settings, demo=False, demo_accounts=accounts)
    browser = Browser(desk.scene, None)

    assert "sam" not in browser.get("/sign-in").text
    assert browser.post("/sign-in", {"account": "sam"}).status == 422


def test_a_form_sent_twice_is_done_once(desk: Desk, clinic: Browser) -> None:
    form = {**clinic.form("/referrals/new"), **TYPED}

    first, again = clinic.post("/referrals/new", form), clinic.post("/referrals/new", form)

    assert (first.status, again.status) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    assert desk.events() == ["referral.submitted.v1"]
    other = {**form, "client.given_name": "Bea"}
    refused = clinic.post("/referrals/new", other)
    assert refused.status == 422
    assert "This form was sent already." in words_of(refused)
    assert desk.events() == ["referral.submitted.v1"]


@pytest.mark.parametrize("ended", ["consent", "referral"])
def test_a_peer_learns_no_name_once_consent_or_referral_has_ended(desk: Desk, ended: str) -> None:
    submitted = desk.submit()
    place, peer_id = f"/referrals/fragments/names/{submitted['id']}", uuid4()
    facts: dict[str, Any] = {"peer_organisation_id": PEER_ORGANISATION, "peer_id": peer_id}
    desk.match("confirmed", submitted, mode="phone", **facts)
    theirs = Browser(desk.scene, peer(PEER_ORGANISATION, person=peer_id))
    assert theirs.get(place).status == 200

    if ended == "consent":
        desk.do("withdraw_consent", submitted["id"])
    else:
        desk.do("withdraw_referral", submitted["id"], body={})

    assert theirs.get(place).status == 404


def test_staff_learn_names_from_the_referral_and_not_from_its_fragment(
    desk: Desk, coordinator: Browser
) -> None:
    place = f"/referrals/fragments/names/{desk.submit()['id']}"
    supervisor = Browser(desk.scene, caller(SUPERVISOR, CLINIC))

    assert [one.get(place).status for one in (coordinator, supervisor)] == [403, 403]


def test_what_waits_for_the_coordinators_hand_is_done_from_its_list(
    desk: Desk, coordinator: Browser
) -> None:
    submitted = desk.submit()
    desk.match("no_peer_found", submitted, ruled_out=3)

    page = coordinator.get("/referrals/tasks")

    assert "Amy Baxter" in words_of(page)
    assert "No peer fits yet" in words_of(page)
    assert coordinator.send("/referrals/tasks", {"act": "done"}).status == 303
    assert "Nothing waits for you" in words_of(coordinator.get("/referrals/tasks"))
    assert desk.tasks() == []


def test_every_kind_of_task_has_words() -> None:
    of_events = {NO_PEER_FOUND, TELL_PERSON, MESSAGE_UNDELIVERABLE, REACH_OUT}
    kinds = {*of_events, CONTACT_DISPUTED, *GAPS}

    assert set(wording.TASK) == kinds


def test_staff_note_a_pause_and_its_end_on_the_page(desk: Desk, coordinator: Browser) -> None:
    place = f"/referrals/{desk.submit()['id']}"

    assert coordinator.send(place, {"act": "pause", "reason": "in-hospital"}).status == 303
    assert "Pause In hospital" in words_of(coordinator.get(place))
    assert 'value="pause"' not in coordinator.get(place).text
    assert coordinator.send(place, {"act": "resume"}).status == 303

    assert 'value="resume"' not in coordinator.get(place).text
    assert desk.events()[-2:] == ["referral.paused.v1", "referral.resumed.v1"]


def test_a_coordinator_keys_in_what_came_by_phone_for_a_clinic(
    desk: Desk, coordinator: Browser
) -> None:
    unsaid = coordinator.send("/referrals/new", {**TYPED, "source": ""})
    keyed_in = coordinator.send("/referrals/new", {**TYPED, "source": "phone"})

    assert unsaid.status == 422
    assert '<a href="#source">' in unsaid.text
    assert keyed_in.status == 303, words_of(keyed_in)
    found = desk.read(keyed_in.headers["Location"].rpartition("/")[2]).json
    assert (found["source"], found["consent"]["evidence"]) == ("phone", "spoken")


def test_a_clinic_is_not_asked_how_its_own_referral_came(desk: Desk, clinic: Browser) -> None:
    assert 'name="source"' not in clinic.get("/referrals/new").text
    sent = clinic.send("/referrals/new", {**TYPED, "source": "phone"})

    assert sent.status == 422
    assert desk.events() == []


def test_every_way_in_which_staff_may_key_a_referral_in_has_words() -> None:
    assert set(wording.SOURCE) == set(KEYED_IN)


def test_a_spanish_reader_is_told_in_spanish_what_is_wrong_with_a_field(desk: Desk) -> None:
    clinic = Browser(desk.scene, CLERK, {"accept-language": "es"})

    shown = clinic.send("/referrals/new", {**TYPED, "client.given_name": "", "agreed": ""})

    assert shown.status == 422
    assert "Hace falta este dato." in words_of(shown)
    assert "Missing data" not in words_of(shown)
    assert "Say whether" not in words_of(shown)


def test_a_letter_to_print_is_in_the_persons_language_and_says_where_things_stand(
    desk: Desk, clinic: Browser
) -> None:
    submitted = desk.submit(referral(topics=["grief"], wishes="Somebody kind"))
    place = f"/referrals/{submitted['id']}"
    assert f'href="{place}/letter"' in clinic.get(place).text

    letter = clinic.get(f"{place}/letter")

    assert 'lang="es"' in letter.text
    assert "Amy Baxter," in words_of(letter)
    assert "Buscamos a alguien adecuado para usted" in words_of(letter)
    for secret in ("grief", "Somebody kind", "1032702", "/l/"):
        assert secret not in letter.text
    assert Browser(desk.scene, OTHER_CLERK).get(f"{place}/letter").status == 404
