"""The coordinator's answers, the clinic's withdrawal, and who may do what in which version."""

import pytest

from services.chassis.roles import EVALUATOR, PEER, SUPERVISOR
from tests.integration.browser import Browser, words_of
from tests.integration.referrals.people import (
    CLERK,
    CLINIC,
    CONSENT,
    COORDINATOR,
    OPERATING,
    OTHER_CLERK,
    STRANGER,
    Desk,
    referral,
)
from tests.support import caller, client

STEPS = {
    "accept_referral": None,
    "decline_referral": {"reason": "no-capacity"},
    "request_information": {"asked_for": ["contact"]},
    "withdraw_referral": None,
    "withdraw_consent": None,
}


def test_an_accepted_referral_waits_with_the_coordinator(desk: Desk) -> None:
    submitted = desk.submit()

    accepted = desk.do("accept_referral", submitted["id"]).json

    assert accepted["status"] == "accepted"
    assert accepted["plan_line"]["state"] == "waiting"
    assert desk.events()[-1] == "referral.accepted.v1"
    assert desk.needs(submitted["id"])[0]["accepted"] is True


def test_a_decline_says_why_in_a_code(desk: Desk) -> None:
    submitted = desk.submit()

    unknown = desk.do("decline_referral", submitted["id"], body={"reason": "because"})
    declined = desk.do("decline_referral", submitted["id"], body={"reason": "not-eligible"})

    assert unknown.status == 422
    assert declined.json["status"] == "declined"
    assert declined.json["owner"] is None
    assert desk.scene.events()[-1][1]["reason"] == "not-eligible"
    assert desk.needs(submitted["id"]) == []


def test_a_decline_by_mistake_is_taken_back_and_the_waiting_date_is_kept(desk: Desk) -> None:
    submitted = desk.submit()
    desk.do("decline_referral", submitted["id"], body={"reason": "not-eligible"})
    desk.scene.pass_time(days=6)

    reopened = desk.do("reopen_referral", submitted["id"])

    assert (reopened.status, reopened.json["status"]) == (200, "submitted"), reopened.text
    assert reopened.json["received_at"] == submitted["received_at"]
    assert desk.scene.events()[-1][0] == "referral.reopened.v1"
    assert desk.needs(submitted["id"])[0]["accepted"] is False
    assert desk.do("reopen_referral", submitted["id"]).status == 409


def test_a_decline_of_long_ago_or_without_consent_stays_one(desk: Desk) -> None:
    long_ago, no_consent = desk.submit(), desk.submit(referral(consent=None))
    for one in (long_ago, no_consent):
        desk.do("decline_referral", one["id"], body={"reason": "not-eligible"})

    assert desk.do("reopen_referral", no_consent["id"]).status == 409
    desk.scene.pass_time(days=8)
    assert desk.do("reopen_referral", long_ago["id"]).status == 409
    assert desk.read(long_ago["id"]).json["status"] == "declined"
    assert desk.do("reopen_referral", desk.submit()["id"]).status == 409


def test_the_undo_stands_on_the_page_of_whoever_may_take_it(desk: Desk) -> None:
    submitted = desk.submit()
    desk.do("decline_referral", submitted["id"], body={"reason": "not-eligible"})
    path = f"/referrals/{submitted['id']}"
    coordinator, clerk = Browser(desk.scene, COORDINATOR), Browser(desk.scene, CLERK)
    assert 'value="reopen"' not in clerk.get(path).text

    done = coordinator.send(path, {"act": "reopen"})

    assert done.status == 303, words_of(done)
    assert 'value="reopen"' not in coordinator.get(path).text
    assert "That it was not taken on was taken back" in words_of(coordinator.get(path))


def test_a_question_goes_to_the_clinic_and_its_answer_back(desk: Desk) -> None:
    submitted = desk.submit()
    question = {"asked_for": ["contact", "other"], "text": "Which evenings?"}

    asked = desk.do("request_information", submitted["id"], body=question).json
    answered = desk.do("provide_information", submitted["id"], CLERK, {"text": "Any"}).json

    assert (asked["status"], asked["owner"]["role"]) == ("information-requested", "clinic")
    assert (answered["status"], answered["owner"]["role"]) == ("submitted", "coordinator")
    assert answered["information_requests"][0]["answer"] == "Any"
    assert "Which evenings" not in str(desk.scene.events())


def test_a_question_after_acceptance_leaves_it_accepted(desk: Desk) -> None:
    submitted = desk.submit()
    desk.do("accept_referral", submitted["id"])
    desk.do("request_information", submitted["id"], body={"asked_for": ["wishes"]})

    assert desk.do("provide_information", submitted["id"], CLERK).json["status"] == "accepted"


@pytest.mark.parametrize("by", ["clinic", "coordinator", "client"])
def test_each_side_may_withdraw_at_any_time(desk: Desk, by: str) -> None:
    submitted = desk.submit()
    desk.do("accept_referral", submitted["id"])
    person = client(person=submitted["client_id"])
    who = {"clinic": CLERK, "coordinator": COORDINATOR, "client": person}[by]

    withdrawn = desk.do("withdraw_referral", submitted["id"], who)

    assert withdrawn.json["status"] == "withdrawn"
    assert withdrawn.json["plan_line"]["state"] == "stopped"
    assert desk.scene.events()[-1][1]["by"] == by


def test_a_client_needs_no_version_to_withdraw(desk: Desk) -> None:
    submitted = desk.submit()
    person = client(CLINIC, person=submitted["client_id"])
    path = {"referral_id": submitted["id"]}

    assert desk.scene.call("withdraw_referral", person, path=path).status == 200


@pytest.mark.parametrize("route", STEPS)
def test_what_has_ended_stays_ended(desk: Desk, route: str) -> None:
    submitted = desk.submit()
    desk.do("withdraw_referral", submitted["id"])
    events = desk.events()

    reply = desk.do(route, submitted["id"], body=STEPS[route])

    assert reply.status == 409
    assert reply.json["type"].endswith("referral-ended")
    assert desk.events() == events


def test_accepting_needs_consent_and_says_so(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))

    reply = desk.do("accept_referral", waiting["id"])

    assert (reply.status, reply.json["type"]) == (409, "urn:kindred:problem:consent-missing")


@pytest.mark.parametrize("route", STEPS)
def test_staff_say_which_version_they_saw(desk: Desk, route: str) -> None:
    submitted = desk.submit()
    path = {"referral_id": submitted["id"]}

    without = desk.scene.call(route, COORDINATOR, STEPS[route], path=path)
    stale = desk.scene.call(route, COORDINATOR, STEPS[route], path=path, if_match='"0"')

    assert (without.status, stale.status) == (428, 412)
    assert desk.events() == ["referral.submitted.v1"]


def test_progress_told_by_others_leaves_the_version_alone(desk: Desk) -> None:
    submitted = desk.submit()
    seen = desk.read(submitted["id"])
    desk.match("shortlisted", submitted, candidates=3)
    path = {"referral_id": submitted["id"]}

    reply = desk.scene.call("accept_referral", COORDINATOR, path=path, if_match=seen.etag)

    assert reply.status == 200


@pytest.mark.parametrize("route", [*STEPS, "read_referral"])
@pytest.mark.parametrize("by", [OTHER_CLERK, STRANGER, client(person=CLINIC)])
def test_anothers_referral_answers_like_a_missing_one(desk: Desk, route: str, by: object) -> None:
    submitted = desk.submit()
    body = STEPS.get(route)

    theirs, missing = (
        desk.scene.call(route, by, body, path={"referral_id": referral_id}, if_match='"1"')  # type: ignore[arg-type]
        for referral_id in (submitted["id"], CLINIC)
    )

    assert theirs.status == missing.status
    assert theirs.status in {403, 404}
    assert theirs.json == missing.json


@pytest.mark.parametrize("role", [PEER, SUPERVISOR, EVALUATOR])
def test_roles_without_a_part_in_it_are_refused(desk: Desk, role: object) -> None:
    submitted = desk.submit()

    assert desk.read(submitted["id"], caller(role, CLINIC, person=CLINIC)).status == 403  # type: ignore[arg-type]


def test_the_list_shows_each_its_own_newest_first_and_by_page(desk: Desk) -> None:
    made = []
    for number in range(3):
        desk.scene.pass_time(seconds=1)
        made.append(
            desk.submit(referral({"record_number": str(number), "given_name": f"A{number}"}))
        )

    first = desk.scene.call("list_referrals", CLERK, query={"limit": 2})
    cursor = first.headers["Link"].split("cursor=")[1].split(">")[0]
    second = desk.scene.call("list_referrals", CLERK, query={"limit": 2, "cursor": cursor})
    own = desk.scene.call("list_referrals", client(CLINIC, person=made[1]["client_id"]))

    ids = [one["id"] for reply in (first, second) for one in reply.json["items"]]
    assert ids == [one["id"] for one in reversed(made)]
    assert [one["id"] for one in own.json["items"]] == [made[1]["id"]]
    assert "client" not in own.json["items"][0]
    assert desk.scene.call("list_referrals", STRANGER).json["items"] == []


def test_the_list_can_be_narrowed_by_status(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))
    desk.submit(referral({"record_number": "2", "given_name": "Bo"}, consent=CONSENT))

    found = desk.scene.call("list_referrals", CLERK, query={"status": "awaiting-consent"})

    assert [one["id"] for one in found.json["items"]] == [waiting["id"]]


def test_an_unchanged_clinic_is_no_news_and_a_changed_one_needs_its_version(desk: Desk) -> None:
    path = {"clinic_id": CLINIC}
    seen = desk.scene.call("read_clinic", OPERATING, path=path)
    body = {"name": "Holy Healthcare", "time_zone": "America/Chicago"}
    renamed = {**body, "name": "Holy Health"}
    before = len(desk.scene.events())

    same = desk.scene.call("put_clinic", OPERATING, body, path=path, if_match=seen.etag)
    blind = desk.scene.call("put_clinic", OPERATING, renamed, path=path)
    known = desk.scene.call("put_clinic", OPERATING, renamed, path=path, if_match=seen.etag)

    assert (same.status, blind.status, known.status) == (200, 428, 200)
    assert len(desk.scene.events()) == before + 1
    assert desk.scene.events()[-1][1]["name"] == "Holy Health"


def test_a_supervisor_knows_only_the_clinics_supervised(desk: Desk) -> None:
    for who, status in ((caller(SUPERVISOR, CLINIC), 200), (caller(SUPERVISOR), 404)):
        assert desk.scene.call("read_clinic", who, path={"clinic_id": CLINIC}).status == status
