"""Every live page: who may see it, who is sent to sign in, and what a stranger finds."""

import re
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from deploy.region.api import Api
from deploy.region.story import rfc3339
from services.chassis.roles import Role
from services.chassis.work import system_clock
from tests.acceptance.clients import Place, a_leave, confirm, message_for_staff, offer
from tests.acceptance.conftest import NewPlace
from tests.acceptance.live import Operation, live_operations
from tests.acceptance.running import Running, eventually
from tests.acceptance.visitors import Browser, signed_in, someone

PEOPLE_ROLES = sorted(set(Role) - {Role.SERVICE})
# What a form needs in order to get as far as its handler's own look at the person's rights.
FORMS = {
    "referrals.act_on_referral": {"act": "withdraw", "version": "1"},
    "referrals.add_scan": {"act": "scan", "version": "1"},
    "notifications.act_on_slip": {"act": "told", "version": "1", "outcome": "told"},
    "matching.act_on_search": {"act": "decline", "version": "1"},
    "scheduling.act_on_contact": {"act": "withdraw"},
    "scheduling.act_on_away": {"act": "wish", "wish": "wait", "version": "1"},
}


@pytest.fixture(scope="module")
def live(api: Api) -> list[Operation]:
    """A part of a page is not to be had by itself, which test_gateway.py shows; nor are links."""
    return [
        one
        for one in live_operations(api)
        if one.is_page and "{secret}" not in one.path and "/fragments/" not in one.path
    ]


@pytest.fixture(scope="module")
def theirs(new_place: NewPlace) -> dict[str, str]:
    """What has an id, at an organisation that the asking one knows nothing of."""
    return ids_at(new_place())


def ids_at(place: Place) -> dict[str, str]:
    peer = place.add_peer()
    story = place.story()
    referral_id = story.submit(place.referral())["id"]
    story.shortlist(referral_id)
    contact = {"kind": "conversation", "setting": "phone", "minutes": 5, "peer_id": peer.id}
    started = rfc3339(system_clock().replace(microsecond=0) - timedelta(hours=1))
    logged = story.api.call(
        "POST",
        "/api/scheduling/contacts",
        by=place.coordinator,
        body={**contact, "started_at": started},
    )
    confirm(place, story, peer)
    told_there = offer(place, story, client={"preferred_channel": "reception"})
    return {
        "referral_id": referral_id,
        "contact_id": logged.expect(201).body["id"],
        "question_id": a_leave(place, peer)["questions"][0]["id"],
        "message_id": message_for_staff(place, told_there),
    }


def for_roles(live: list[Operation]) -> Iterator[Operation]:
    return (page for page in live if page.roles)


def test_there_are_pages_for_roles_and_only_the_sign_in_is_open(live: list[Operation]) -> None:
    assert len(list(for_roles(live))) >= 5
    assert {page.path for page in live if not page.roles} == {
        "/",
        "/sign-in",
        "/sign-in/start",
        "/sign-in/callback",
        "/sign-out",
        "/referrals/self/{clinic_id}",
    }


def test_every_page_lets_in_the_roles_that_it_names_and_no_other(
    system: Running, live: list[Operation], new_place: NewPlace
) -> None:
    ours = new_place()
    known = ids_at(ours)
    for page in for_roles(live):
        for role in PEOPLE_ROLES:
            browser, token = signed_in(system, page.service, someone(role, ours.orgs))
            form = {"form_token": token, "act": "none"} if page.method == "POST" else None
            status = browser.ask(page.method, page.path.format(**known), form).status
            allowed = status != 403 if role in page.roles else status == 403
            assert (page.name, role, status, allowed) == (page.name, role, status, True)
            assert status < 500


def test_every_page_sends_whoever_has_not_signed_in_to_do_so(
    system: Running, live: list[Operation], theirs: dict[str, str]
) -> None:
    for page in for_roles(live):
        answer = Browser(system).ask(page.method, page.path.format(**theirs))
        expected = 401 if page.method == "POST" else 303
        assert (page.name, answer.status) == (page.name, expected)
        assert b"Baxter" not in answer.data


def test_another_organisations_page_answers_exactly_like_a_missing_one(
    system: Running,
    live: list[Operation],
    theirs: dict[str, str],
    new_place: NewPlace,
) -> None:
    ours = new_place()
    unknown = {name: str(uuid4()) for name in theirs}
    asked = 0
    for page in for_roles(live):
        if not page.parameters:
            continue
        for role in page.roles:
            browser, token = signed_in(system, page.service, someone(role, ours.orgs))
            form = {**FORMS[page.name], "form_token": token} if page.method == "POST" else None
            answers = [
                browser.ask(page.method, page.path.format(**ids), form) for ids in (theirs, unknown)
            ]
            assert [answer.status for answer in answers] == [404, 404], page.name
            assert answers[0].data == answers[1].data
            asked += 1
    assert asked >= 4


def test_every_form_without_its_token_is_refused(
    system: Running, live: list[Operation], theirs: dict[str, str]
) -> None:
    for page in for_roles(live):
        if page.method == "POST":
            for role in page.roles:
                browser, _ = signed_in(system, page.service, someone(role, (str(uuid4()),)))
                answer = browser.ask("POST", page.path.format(**theirs), {"act": "withdraw"})
                assert (page.name, role, answer.status) == (page.name, role, 403)


def test_a_clinic_of_the_demo_signs_in_sees_its_referrals_and_signs_out(system: Running) -> None:
    browser = Browser(system)
    assert browser.ask("GET", "/").headers["Location"] == "/sign-in"
    accounts = re.findall(rb'name="account" value="([\w-]+)"', browser.ask("GET", "/sign-in").data)
    clinic = next(account.decode() for account in accounts if b"coordinator" not in account)

    entered = browser.ask("POST", "/sign-in", {"account": clinic, "then": "/referrals/"})

    assert (entered.status, entered.headers["Location"]) == (303, "/referrals/")
    told = entered.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(told.split("; "))
    browser.cookie = told.partition(";")[0]
    assert browser.ask("GET", "/").headers["Location"] == "/referrals/"
    page = browser.ask("GET", "/referrals/")
    assert page.status == 200
    style = re.search(rb'href="(/assets/[^"]+)"', page.data)
    assert style
    assert browser.ask("GET", style[1].decode()).status == 200
    left = browser.ask("POST", "/sign-out", {"form_token": "x"})
    assert left.headers["Set-Cookie"].startswith("kindred=;")


@pytest.mark.parametrize(
    "then", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "x", ""]
)
def test_signing_in_never_leads_to_another_site(system: Running, then: str) -> None:
    browser = Browser(system)

    entered = browser.ask("POST", "/sign-in", {"account": "demo-coordinator", "then": then})

    assert (entered.status, entered.headers["Location"]) == (303, "/")


def test_an_account_that_the_demo_does_not_have_signs_nobody_in(system: Running) -> None:
    answer = Browser(system).ask("POST", "/sign-in", {"account": "somebody"})

    assert answer.status == 422
    assert "Set-Cookie" not in answer.headers


def test_a_peers_week_names_whom_they_meet_and_goes_on_while_referrals_stands_still(
    system: Running, new_place: NewPlace
) -> None:
    place = new_place()
    peer = place.add_peer()
    confirm(place, place.story(), peer, client={"preferred_name": "Ames"})
    browser, _ = signed_in(system, "scheduling", peer.account)

    def is_named() -> bool:
        return b"Ames" in browser.ask("GET", "/scheduling/").data

    eventually(is_named, "the week names the person", seconds=20)
    assert b"cannot be shown" not in browser.ask("GET", "/scheduling/").data
    stopped = [system.identity(name) for name in system.replicas("referrals", "web")]
    try:
        for process in stopped:
            process.send(signal.SIGSTOP)
        began = time.monotonic()
        page = browser.ask("GET", "/scheduling/")
        took = time.monotonic() - began
    finally:
        for process in stopped:
            process.send(signal.SIGCONT)

    assert page.status == 200
    assert b"(cannot be shown just now)" in page.data
    assert b"Ames" not in page.data
    assert took < 1
    eventually(is_named, "the name comes back by itself", seconds=20)
