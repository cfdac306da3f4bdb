"""What a referral asks for can be corrected while it is open, and whoever ranks by it is told."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.chassis.roles import EVALUATOR, OPERATOR, PEER, SUPERVISOR
from services.referrals.domain.ownership import Urgency, add_working_days
from tests.integration.referrals.people import (
    CLERK,
    CLINIC,
    CONSENT,
    COORDINATOR,
    OTHER_CLERK,
    STRANGER,
    Desk,
    referral,
)
from tests.support import Reply, caller, client

PEER_ID = UUID(int=5)
PLAN = {"reference": "CP-7", "goal": "Leave the house"}
ASKED: dict[str, Any] = {
    "wishes": "Somebody to walk with",
    "topics": ["grief"],
    "modes": ["video", "phone"],
    "access_needs": ["step-free"],
    "preferences": {"peer_gender": ["female"], "peer_age_band": ["65+"]},
    "excluded_peer_ids": [str(PEER_ID)],
    "urgency": "soon",
}
UNRANKED = ("wishes", "treatment_plan")


def correct(desk: Desk, of: dict[str, Any], body: Any, by: Any = CLERK) -> Reply:
    return desk.do("correct_referral", of["id"], by, body)


def told(desk: Desk) -> list[dict[str, Any]]:
    return [data for name, data in desk.scene.events() if name == "referral.corrected.v1"]


@pytest.mark.parametrize("by", [CLERK, COORDINATOR], ids=["clinic", "coordinator"])
def test_everything_that_is_asked_for_can_be_corrected(desk: Desk, by: Any) -> None:
    submitted = desk.submit()

    reply = correct(desk, submitted, {**ASKED, "treatment_plan": PLAN}, by)

    assert reply.status == 200, reply.text
    now = desk.read(submitted["id"], CLERK)
    assert {name: now.json[name] for name in ASKED} == ASKED
    assert {name: now.json["plan_line"][name] for name in PLAN} == PLAN
    assert now.etag == reply.etag == f'"{submitted["version"] + 1}"'
    (need,) = desk.needs(submitted["id"])
    ranked = ASKED.keys() - {"wishes"}
    assert {name: need[name] for name in ranked} == {name: ASKED[name] for name in ranked}


@pytest.mark.parametrize(("name", "value"), [*ASKED.items(), ("treatment_plan", PLAN)])
def test_the_event_says_whether_it_matters_to_matching_and_nothing_of_what_was_said(
    desk: Desk, name: str, value: Any
) -> None:
    submitted = desk.submit()

    correct(desk, submitted, {name: value})

    assert told(desk) == [
        {
            "referral_id": submitted["id"],
            "clinic_id": str(CLINIC),
            "client_id": submitted["client_id"],
            "needs_changed": name not in UNRANKED,
        }
    ]


def test_the_timeline_names_the_corrected_fields_and_no_value(desk: Desk) -> None:
    submitted = desk.submit(referral(topics=["grief"]))

    correct(desk, submitted, {**ASKED, "modes": ["phone"], "treatment_plan": {"goal": "Rest"}})

    for reader in (CLERK, COORDINATOR, client(CLINIC, person=submitted["client_id"])):
        step = desk.read(submitted["id"], reader).json["timeline"][-1]
        assert (step["step"], step["by"]) == ("corrected", "clinic")
        assert step["details"] == {
            "fields": [
                "access_needs",
                "excluded_peer_ids",
                "modes",
                "preferences",
                "treatment_plan",
                "urgency",
                "wishes",
            ]
        }


def test_a_correction_keeps_what_it_does_not_name(desk: Desk) -> None:
    submitted = desk.submit(referral(**ASKED, treatment_plan=PLAN))

    corrected = correct(
        desk,
        submitted,
        {"preferences": {"peer_gender": None}, "treatment_plan": {"goal": "Rest"}},
    ).json

    preferences = {"peer_gender": None, "peer_age_band": ["65+"]}
    assert {name: corrected[name] for name in ASKED} == {**ASKED, "preferences": preferences}
    assert corrected["plan_line"] == {**PLAN, "goal": "Rest", "state": "requested"}


def test_a_plan_is_taken_away_and_given_again(desk: Desk) -> None:
    submitted = desk.submit(referral(treatment_plan=PLAN))

    without = correct(desk, submitted, {"treatment_plan": None}).json
    again = correct(desk, submitted, {"treatment_plan": {"reference": "CP-8"}}).json

    plans = [(one["plan_line"]["reference"], one["plan_line"]["goal"]) for one in (without, again)]
    assert plans == [(None, None), ("CP-8", None)]


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"topics": ["grief"], "urgency": "soon", "wishes": "Somebody to walk with"},
        {"preferences": {}, "treatment_plan": {}},
        {"treatment_plan": None},
    ],
)
def test_a_correction_that_changes_nothing_is_no_news(desk: Desk, body: Any) -> None:
    submitted = desk.submit(referral(**ASKED))

    reply = correct(desk, submitted, body)

    assert (reply.status, reply.json) == (200, desk.read(submitted["id"], CLERK).json)
    assert reply.json["version"] == submitted["version"]
    assert reply.json["timeline"] == submitted["timeline"]
    assert told(desk) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"wishes": ""}, "wishes"),
        ({"topics": None}, "topics"),
        ({"topics": ["Not a code"]}, "topics.0"),
        ({"modes": []}, "modes"),
        ({"modes": ["telepathy"]}, "modes.0"),
        ({"preferences": None}, "preferences"),
        ({"preferences": {"peer_age_band": ["old"]}}, "preferences.peer_age_band.0"),
        ({"preferences": {"shoe_size": 9}}, "preferences.shoe_size"),
        ({"excluded_peer_ids": ["x"]}, "excluded_peer_ids.0"),
        ({"urgency": "now"}, "urgency"),
        ({"urgency": None}, "urgency"),
        ({"treatment_plan": {"diagnosis": "F32"}}, "treatment_plan.diagnosis"),
        ({"client": {"given_name": "Bo"}}, "client"),
        ({"consent": CONSENT}, "consent"),
        ({"clinic_id": str(CLINIC)}, "clinic_id"),
    ],
)
def test_what_a_submission_may_not_say_a_correction_may_not_either(
    desk: Desk, body: dict[str, Any], field: str
) -> None:
    submitted = desk.submit()

    reply = correct(desk, submitted, {**body, "access_needs": ["step-free"]})

    assert (reply.status, list(reply.json["errors"])) == (422, [field])
    assert desk.read(submitted["id"], CLERK).json == submitted
    assert told(desk) == []


def test_another_urgency_makes_another_next_date_and_other_words_do_not(desk: Desk) -> None:
    submitted = desk.submit()
    desk.scene.pass_time(days=3)

    reworded = correct(desk, submitted, {"wishes": "Somebody to walk with"}).json
    urgent = correct(desk, submitted, {"urgency": Urgency.URGENT}).json

    assert reworded["next_date"] == submitted["next_date"]
    today = desk.scene.now.astimezone(ZoneInfo("America/Chicago")).date()
    assert urgent["next_date"] == str(add_working_days(today, 1))


def test_before_consent_nothing_leaves_and_what_leaves_then_is_corrected(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))

    reply = correct(desk, waiting, ASKED)

    assert (reply.status, reply.json["topics"]) == (200, ["grief"])
    assert desk.events() == []
    desk.do("give_consent", waiting["id"], CLERK, CONSENT)
    assert desk.events() == ["referral.submitted.v1"]
    assert desk.needs(waiting["id"])[0]["topics"] == ["grief"]


def test_once_consent_has_ended_nobody_is_asked_to_rank_anew(desk: Desk) -> None:
    ended = desk.submit()
    desk.do("withdraw_consent", ended["id"])
    until = (desk.scene.now + timedelta(hours=1)).isoformat()
    another = {"record_number": "2", "given_name": "Bo"}
    run_out = desk.submit(referral(another, consent={"until": until}))
    desk.scene.pass_time(hours=2)

    for one in (ended, run_out):
        assert correct(desk, one, ASKED).status == 200
        assert desk.do("correct_client", one["id"], CLERK, {"languages": ["en"]}).status == 200

    assert [event["needs_changed"] for event in told(desk)] == [False] * 4


def test_a_referral_that_has_ended_is_not_corrected(desk: Desk) -> None:
    submitted = desk.submit()
    desk.do("withdraw_referral", submitted["id"])

    for body in (ASKED, {}):
        reply = correct(desk, submitted, body)
        assert (reply.status, reply.json["type"]) == (409, "urn:kindred:problem:referral-ended")

    assert desk.read(submitted["id"], CLERK).json["topics"] == []
    assert told(desk) == []


@pytest.mark.parametrize("if_match", [None, "*", '"0"', 'W/"1"'])
def test_staff_say_which_version_they_saw(desk: Desk, if_match: str | None) -> None:
    submitted = desk.submit()
    path = {"referral_id": submitted["id"]}

    reply = desk.scene.call("correct_referral", CLERK, ASKED, path=path, if_match=if_match)

    assert reply.status == (428 if if_match in {None, "*"} else 412)
    assert told(desk) == []


def test_a_peer_left_out_meanwhile_is_not_let_in_again_by_an_older_list(desk: Desk) -> None:
    submitted = desk.submit()
    seen = desk.read(submitted["id"], CLERK)
    desk.match("shortlisted", submitted, candidates=1)
    desk.match("ended", submitted, reason="another-peer", peer_id=PEER_ID)
    path = {"referral_id": submitted["id"]}

    body: dict[str, Any] = {"excluded_peer_ids": []}
    reply = desk.scene.call("correct_referral", CLERK, body, path=path, if_match=seen.etag)

    assert reply.status == 412
    assert desk.needs(submitted["id"])[0]["excluded_peer_ids"] == [str(PEER_ID)]


@pytest.mark.parametrize("by", [OTHER_CLERK, STRANGER], ids=["clinic", "coordinator"])
def test_anothers_referral_answers_like_a_missing_one(desk: Desk, by: Any) -> None:
    submitted = desk.submit()

    theirs, missing = (
        desk.scene.call(
            "correct_referral", by, ASKED, path={"referral_id": referral_id}, if_match='"1"'
        )
        for referral_id in (submitted["id"], CLINIC)
    )

    assert theirs.status == missing.status == 404
    assert theirs.json == missing.json
    assert told(desk) == []


@pytest.mark.parametrize("role", [PEER, SUPERVISOR, EVALUATOR, OPERATOR])
def test_who_has_no_part_in_it_is_refused(desk: Desk, role: Any) -> None:
    submitted = desk.submit()

    assert correct(desk, submitted, ASKED, caller(role, CLINIC, person=PEER_ID)).status == 403


def test_the_person_tells_their_clinic(desk: Desk) -> None:
    submitted = desk.submit()

    person = client(CLINIC, person=submitted["client_id"])
    assert correct(desk, submitted, ASKED, person).status == 403
