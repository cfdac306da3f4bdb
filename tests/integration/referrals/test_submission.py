"""A referral comes in: what is kept, what leaves, what becomes a task, what is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis.roles import CLINIC as CLINIC_ROLE
from tests.integration.referrals.people import (
    CLERK,
    CLIENT,
    CLINIC,
    CONSENT,
    OTHER_CLERK,
    OTHER_CLINIC,
    Desk,
    referral,
)
from tests.support import caller, client


def test_a_consented_referral_is_submitted_with_owner_and_date_at_once(desk: Desk) -> None:
    submitted = desk.submit()

    assert submitted["status"] == "submitted"
    assert submitted["owner"] == {"role": "coordinator", "organisation_id": str(CLINIC)}
    assert submitted["next_date"] >= submitted["received_at"][:10]
    assert submitted["plan_line"] == {"state": "requested", "reference": None, "goal": None}
    assert desk.events() == ["referral.submitted.v1"]
    assert desk.steps(submitted["id"]) == ["received", "submitted"]


def test_the_event_carries_ids_and_times_alone(desk: Desk) -> None:
    submitted = desk.submit()

    (_, event) = desk.scene.events()[-1]
    assert event.pop("received_at").startswith(submitted["received_at"][:19])
    assert event == {
        "referral_id": submitted["id"],
        "client_id": submitted["client_id"],
        "clinic_id": str(CLINIC),
        "accepted": False,
    }


def test_nothing_leaves_before_consent(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))

    assert waiting["status"] == "awaiting-consent"
    assert waiting["owner"]["role"] == "clinic"
    assert desk.events() == []
    assert desk.needs(waiting["id"]) == []


def test_a_clinic_that_withdraws_before_consent_lets_nothing_leave_either(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))

    assert desk.do("withdraw_referral", waiting["id"], CLERK).json["status"] == "withdrawn"
    assert desk.events() == []


def test_a_later_consent_moves_it_on_with_the_first_waiting_date(desk: Desk) -> None:
    waiting = desk.submit(referral(consent=None))
    desk.scene.pass_time(days=3)

    reply = desk.do("give_consent", waiting["id"], CLERK, CONSENT)

    assert reply.json["status"] == "submitted"
    (name, event) = desk.scene.events()[-1]
    assert name == "referral.submitted.v1"
    assert event["received_at"][:19] == waiting["received_at"][:19]


def test_a_consent_without_matching_leads_nowhere(desk: Desk) -> None:
    narrow = {**CONSENT, "scope": ["notification"]}

    assert desk.submit(referral(consent=narrow))["status"] == "awaiting-consent"
    assert desk.events() == []


def test_a_clinic_with_that_policy_has_its_referrals_accepted(desk: Desk) -> None:
    desk.register(OTHER_CLINIC, auto_accept=True)

    submitted = desk.submit(by=OTHER_CLERK)

    assert submitted["status"] == "accepted"
    assert desk.events() == ["referral.submitted.v1", "referral.accepted.v1"]
    assert desk.scene.events()[-2][1]["accepted"] is True


def test_every_problem_is_named_at_once(desk: Desk) -> None:
    wrong = {
        "client": {
            "given_name": " ",
            "birth_date": "2199-01-01",
            "languages": ["en_US"],
            "time_zone": "Mars/Olympus",
            "postal_code": "99999",
            "email": "nobody",
            "safe_contact": {"times": [{"day": "mon", "from": "12:00", "to": "09:00"}]},
            "diagnosis": "F10.2",
        },
        "consent": {"until": "2020-01-01", "scope": ["everything"], "with": ["whoever"]},
        "modes": ["pigeon"],
        "urgency": "now",
    }

    reply = desk.scene.call("submit_referral", CLERK, wrong)

    assert reply.status == 422
    assert set(reply.json["errors"]) == {
        "client.given_name",
        "client.family_name",
        "client.birth_date",
        "client.languages.0",
        "client.time_zone",
        "client.postal_code",
        "client.email",
        "client.safe_contact.times.0.to",
        "client.diagnosis",
        "consent.until",
        "consent.scope.0",
        "consent.with.0",
        "modes.0",
        "urgency",
    }
    assert "F10.2" not in reply.text
    assert desk.scene.rows("SELECT 1 FROM referrals") == []


def test_a_consent_that_ends_while_still_that_day_somewhere_is_judged_by_the_persons_zone(
    desk: Desk,
) -> None:
    yesterday = desk.scene.now.date() - timedelta(days=1)
    in_auckland = {"time_zone": "Pacific/Auckland"}
    body = referral(in_auckland, consent={"until": yesterday.isoformat()})

    reply = desk.scene.call("submit_referral", CLERK, body)

    assert reply.status == 422
    assert set(reply.json["errors"]) == {"consent.until"}


@pytest.mark.parametrize("missing", [("birth_date",), ("postal_code",)])
def test_age_and_place_are_needed_in_one_way_or_another(
    desk: Desk, missing: tuple[str, ...]
) -> None:
    body = referral(dict.fromkeys(missing))

    reply = desk.scene.call("submit_referral", CLERK, body)

    assert reply.status == 422
    assert set(reply.json["errors"]) == {f"client.{name}" for name in missing}


def test_an_age_band_and_an_area_are_enough(desk: Desk) -> None:
    vague = {"birth_date": None, "postal_code": None, "age_band": "25-34", "area": "Riverside"}

    assert desk.submit(referral(vague))["status"] == "submitted"


def test_a_number_nobody_can_call_is_a_task_and_no_refusal(desk: Desk) -> None:
    submitted = desk.submit(
        referral({"phone": "555-555-5555", "email": None, "preferred_channel": "phone"})
    )

    assert submitted["status"] == "submitted"
    assert [task["kind"] for task in desk.tasks()] == ["unreachable-phone"]
    assert desk.contact(submitted["id"])["phone"] is None


def test_a_channel_without_its_contact_is_a_task(desk: Desk) -> None:
    desk.submit(referral({"preferred_channel": "sms"}))

    assert [task["kind"] for task in desk.tasks()] == ["contact-missing"]


def test_a_child_without_a_representative_is_kept_with_a_task(desk: Desk) -> None:
    child = desk.submit(referral({"birth_date": "2016-01-15", "phone": "555-555-5555"}))

    assert child["status"] == "submitted"
    assert {task["kind"] for task in desk.tasks()} == {
        "representative-missing",
        "unreachable-phone",
    }
    assert desk.needs(child["id"])[0]["is_minor"] is True


def test_the_least_that_a_clinic_may_send_is_enough(desk: Desk) -> None:
    least = {
        name: CLIENT[name]
        for name in ("given_name", "family_name", "birth_date", "languages", "time_zone")
    }

    submitted = desk.submit({"client": {**least, "postal_code": "74047"}, "consent": {}})

    assert submitted["status"] == "submitted"
    assert submitted["client"]["preferred_channel"] == "reception"
    assert submitted["modes"] == ["in-person", "video", "phone"]


def test_a_name_that_grows_when_it_is_folded_is_kept(desk: Desk) -> None:
    long = referral({"given_name": "\ufdfa" * 200, "family_name": "\ufdfa" * 200})

    assert desk.submit(long)["client_id"] == desk.submit(long)["client_id"]


def test_a_clinic_refers_only_for_itself(desk: Desk) -> None:
    desk.register(OTHER_CLINIC)
    for clinic_id in (OTHER_CLINIC, uuid4()):
        reply = desk.scene.call("submit_referral", CLERK, referral(clinic_id=clinic_id))

        assert reply.status == 422
        assert set(reply.json["errors"]) == {"clinic_id"}


def test_who_works_for_several_clinics_says_for_which(desk: Desk) -> None:
    desk.register(OTHER_CLINIC)
    of_both = caller(CLINIC_ROLE, CLINIC, OTHER_CLINIC)

    assert desk.scene.call("submit_referral", of_both, referral()).status == 422
    assert desk.submit(referral(clinic_id=OTHER_CLINIC), of_both)["clinic_id"] == str(OTHER_CLINIC)


def test_the_same_key_gives_the_same_referral(desk: Desk) -> None:
    first = desk.scene.call("submit_referral", CLERK, referral(), key="one")
    again = desk.scene.call("submit_referral", CLERK, referral(), key="one")

    assert first.json["id"] == again.json["id"]
    assert len(desk.scene.rows("SELECT 1 FROM referrals")) == 1


def test_what_words_a_person_used_stay_with_those_who_need_them(desk: Desk) -> None:
    plan = {"reference": "CP-7", "goal": "Three evenings a week among people"}
    submitted = desk.submit(referral(wishes="somebody who walked it", treatment_plan=plan))
    person = client(CLINIC, person=submitted["client_id"])

    for_coordinator = desk.read(submitted["id"]).json
    for_client = desk.read(submitted["id"], person).json

    assert submitted["plan_line"]["goal"] == plan["goal"]
    assert for_coordinator["plan_line"] == {"state": "requested", "reference": "CP-7"}
    assert for_client["plan_line"] == {"state": "requested"}
    assert for_client["wishes"] == "somebody who walked it"
    assert "client" not in for_client
    assert "wishes" not in desk.needs(submitted["id"])[0]
