"""What leaves through the internal paths: the minimum, by purpose, recorded, walled twice."""

import psycopg
import pytest

from services.chassis.database import act_for
from tests.integration.referrals.people import (
    CLERK,
    CLINIC,
    CONSENT,
    OTHER_CLINIC,
    Desk,
    referral,
)
from tests.support import client

OF_PEOPLE = ("clinics", "referrals", "consents", "information_requests", "steps", "tasks")


def test_matching_learns_what_it_ranks_by_and_no_name(desk: Desk) -> None:
    submitted = desk.submit(referral(topics=["grief"], urgency="soon"))

    (need,) = desk.needs(submitted["id"])

    assert need == {
        "referral_id": submitted["id"],
        "client_id": submitted["client_id"],
        "clinic_id": str(CLINIC),
        "languages": ["es"],
        "modes": ["in-person", "video", "phone"],
        "postal_code": "74048",
        "area": None,
        "is_minor": False,
        "paused": False,
        "preferences": {"peer_gender": None, "peer_age_band": None},
        "topics": ["grief"],
        "access_needs": [],
        "urgency": "soon",
        "excluded_peer_ids": [],
        "peer_organisation_ids": None,
        "preferred_channel": "email",
        "time_zone": "America/Chicago",
        "received_at": submitted["received_at"],
        "accepted": False,
    }


def test_notifications_learns_where_to_write(desk: Desk) -> None:
    submitted = desk.submit(referral({"preferred_name": "Ames"}))

    told = desk.contact(submitted["id"])
    assert told.pop("page").startswith("/l/r-")
    assert told == {
        "referral_id": submitted["id"],
        "allowed": True,
        "reason": None,
        "name": "Ames",
        "email": "amy.shaw@example.com",
        "phone": None,
        "preferred_channel": "email",
        "safe_times": [],
        "shared_phone": False,
        "language": "es",
        "time_zone": "America/Chicago",
        "through_representative": False,
        "progress_to_clinic": True,
    }


def test_notifications_learns_whether_the_clinic_may_hear_of_sessions(desk: Desk) -> None:
    consent = {**CONSENT, "scope": ["matching", "scheduling", "notification"]}
    submitted = desk.submit(referral(consent=consent))
    told = desk.contact(submitted["id"])
    assert (told["allowed"], told["progress_to_clinic"]) == (True, False)

    desk.do("give_consent", submitted["id"], CLERK, CONSENT)
    assert desk.contact(submitted["id"])["progress_to_clinic"] is True
    desk.do("withdraw_consent", submitted["id"])
    assert desk.contact(submitted["id"])["progress_to_clinic"] is False


def test_clinics_are_told_with_their_own_address(desk: Desk) -> None:
    desk.register(OTHER_CLINIC, email="intake@example.org", language="es")

    body = {"clinic_ids": [OTHER_CLINIC]}
    found = desk.ask("/contacts", "notifications", "notification", body)

    assert found["clinics"] == [
        {
            "clinic_id": str(OTHER_CLINIC),
            "name": "Holy Healthcare",
            "email": "intake@example.org",
            "language": "es",
            "time_zone": "America/Chicago",
        }
    ]


def test_who_must_not_be_contacted_is_not_named(desk: Desk) -> None:
    submitted = desk.submit(referral({"safe_contact": {"do_not_contact": True}}))

    contact = desk.contact(submitted["id"])

    assert (contact["allowed"], contact["reason"]) == (False, "do-not-contact")
    assert (contact["name"], contact["email"], contact["phone"]) == ("", None, None)


def test_a_person_who_withdrew_hears_no_more_and_one_whose_clinic_did_may(desk: Desk) -> None:
    by_client = desk.submit()
    person = client(CLINIC, person=by_client["client_id"])
    desk.do("withdraw_referral", by_client["id"], person)
    by_clinic = desk.submit(referral({"record_number": "2", "given_name": "Bo"}))
    desk.do("withdraw_referral", by_clinic["id"], CLERK)

    assert desk.contact(by_client["id"])["reason"] == "withdrawn"
    assert desk.contact(by_clinic["id"])["allowed"] is True


def test_scheduling_learns_a_zone_and_nothing_else(desk: Desk) -> None:
    submitted = desk.submit()

    body = {"ids": [submitted["client_id"], CLINIC]}
    found = desk.ask("/people", "scheduling", "scheduling", body)

    assert found["people"] == [
        {
            "client_id": submitted["client_id"],
            "clinic_id": str(CLINIC),
            "time_zone": "America/Chicago",
        }
    ]


def test_every_disclosure_is_recorded_with_its_purpose(desk: Desk) -> None:
    submitted = desk.submit()
    desk.needs(submitted["id"])
    desk.contact(submitted["id"])

    told = desk.scene.rows("SELECT recipient, purpose, subject_id, fields FROM disclosures")

    assert [(row["recipient"], row["purpose"]) for row in told] == [
        ("matching", "matching"),
        ("notifications", "notification"),
    ]
    assert {str(row["subject_id"]) for row in told} == {submitted["client_id"]}
    assert "languages" in told[0]["fields"]


@pytest.mark.parametrize(
    ("path", "caller", "purpose"),
    [
        ("/needs", "notifications", "matching"),
        ("/needs", "matching", "notification"),
        ("/contacts", "matching", "notification"),
        ("/people", "scheduling", "matching"),
    ],
)
def test_each_path_answers_its_caller_for_its_purpose_alone(
    desk: Desk, path: str, caller: str, purpose: str
) -> None:
    reply = desk.scene.ask(path, caller=caller, purpose=purpose, body={"ids": []})

    assert reply.status == 403


def test_a_caller_that_names_no_organisation_learns_of_nobody(desk: Desk) -> None:
    submitted = desk.submit()

    reply = desk.scene.ask(
        "/needs", caller="matching", purpose="matching", body={"ids": [submitted["id"]]}
    )

    assert reply.json == {"needs": []}


@pytest.mark.parametrize("table", OF_PEOPLE)
def test_the_database_itself_shows_a_clinics_rows_to_that_clinic_alone(
    desk: Desk, table: str
) -> None:
    submitted = desk.submit(referral({"phone": "555-555-5555"}))
    desk.do("request_information", submitted["id"], body={"asked_for": ["contact"]})
    query = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
    seen = []

    with psycopg.connect(desk.scene.database.service) as connection:
        for orgs in ([], [OTHER_CLINIC], [CLINIC]):
            act_for(connection, orgs)
            seen.append(connection.execute(query).fetchone())

    assert seen[:2] == [(0,), (0,)]
    assert seen[2] != (0,)


@pytest.mark.parametrize("statement", ["UPDATE steps SET step = 'x'", "DELETE FROM steps"])
def test_a_timeline_cannot_be_rewritten(desk: Desk, statement: str) -> None:
    desk.submit()

    with psycopg.connect(desk.scene.database.service) as connection:
        act_for(connection, [CLINIC])
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute(statement.encode())
