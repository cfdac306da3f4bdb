"""What matching, scheduling and notifications tell becomes progress, timeline and tasks."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.referrals.people import (
    CLERK,
    CONSENT,
    COORDINATOR,
    MATCH,
    PEER_ORGANISATION,
    Desk,
    referral,
)

PEER = UUID(int=5)
SESSION = UUID(int=6)
LATER = "2099-01-05T16:00:00Z"


@pytest.fixture
def accepted(desk: Desk) -> dict[str, Any]:
    submitted = desk.submit()
    desk.do("accept_referral", submitted["id"])
    return submitted


def walk_to_match(desk: Desk, of: dict[str, Any]) -> None:
    desk.match("shortlisted", of, candidates=3)
    desk.match("offered", of, answer_by=LATER)
    desk.match("chosen", of)
    desk.match("confirmed", of, mode="video")


def test_each_step_of_a_match_shows_on_the_timeline(desk: Desk, accepted: dict[str, Any]) -> None:
    walk_to_match(desk, accepted)
    desk.match("activated", accepted)

    now = desk.read(accepted["id"]).json
    assert now["match"] == {
        "match_id": str(MATCH),
        "round": 1,
        "state": "active",
        "peer_organisation_id": str(PEER_ORGANISATION),
    }
    assert now["owner"] == {"role": "peer", "organisation_id": str(PEER_ORGANISATION)}
    assert now["plan_line"]["state"] == "in-progress"
    assert desk.steps(accepted["id"])[3:] == [
        "shortlisted",
        "offered",
        "chosen",
        "confirmed",
        "active",
    ]


def test_nobody_found_has_an_owner_and_a_task_until_somebody_is(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.match("no_peer_found", accepted, ruled_out=12)

    now = desk.read(accepted["id"]).json
    assert (now["match"]["state"], now["owner"]["role"]) == ("no-peer-found", "coordinator")
    assert [task["kind"] for task in desk.tasks()] == ["no-peer-found"]

    desk.match("shortlisted", accepted, candidates=1)
    assert desk.tasks() == []


def test_goals_reached_completes_the_referral(desk: Desk, accepted: dict[str, Any]) -> None:
    walk_to_match(desk, accepted)

    desk.match("ended", accepted, reason="goals-reached", peer_id=PEER)

    now = desk.read(accepted["id"]).json
    assert (now["status"], now["plan_line"]["state"]) == ("completed", "completed")
    assert desk.events()[-1] == "referral.completed.v1"


@pytest.mark.parametrize("reason", ["client-choice", "other-support-found"])
def test_a_person_who_wants_it_over_ends_the_referral(
    desk: Desk, accepted: dict[str, Any], reason: str
) -> None:
    desk.match("ended", accepted, reason=reason, peer_id=None)

    assert desk.read(accepted["id"]).json["status"] == "withdrawn"
    assert desk.scene.events()[-1][1]["by"] == "client"


@pytest.mark.parametrize("reason", ["another-peer", "peer-unavailable", "administrative"])
def test_a_match_that_ends_otherwise_lets_the_person_wait_with_the_first_date(
    desk: Desk, accepted: dict[str, Any], reason: str
) -> None:
    walk_to_match(desk, accepted)

    desk.match("ended", accepted, reason=reason, peer_id=PEER)

    now = desk.read(accepted["id"]).json
    assert (now["status"], now["plan_line"]["state"]) == ("accepted", "waiting")
    assert now["received_at"] == accepted["received_at"]
    assert now["owner"]["role"] == "coordinator"
    excluded = desk.needs(accepted["id"])[0]["excluded_peer_ids"]
    assert excluded == ([str(PEER)] if reason == "another-peer" else [])


def test_a_late_word_of_an_earlier_round_changes_nothing_but_the_timeline(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.match("shortlisted", accepted, round=2, candidates=2)

    desk.match("ended", accepted, reason="client-choice", peer_id=None)

    now = desk.read(accepted["id"]).json
    assert (now["status"], now["match"]["state"]) == ("accepted", "shortlisted")
    assert desk.steps(accepted["id"])[-1] == "match-ended"


def test_an_end_that_follows_our_own_withdrawal_is_only_noted(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.do("withdraw_referral", accepted["id"])
    events = desk.events()

    desk.match("ended", accepted, reason="referral-withdrawn", peer_id=None)

    assert desk.events() == events
    assert desk.scene.rows("SELECT 1 FROM deferred") == []


def test_an_event_handed_over_again_has_one_effect(desk: Desk, accepted: dict[str, Any]) -> None:
    facts = {"match_id": MATCH, "referral_id": accepted["id"], "round": 1, "candidates": 2}
    event_id = uuid4()
    for _ in range(5):
        desk.scene.receive(
            "match.shortlisted.v1",
            facts,
            subject=MATCH,
            event_id=event_id,
            sequence=1,
            org=PEER_ORGANISATION,
            clinicorg=UUID(accepted["clinic_id"]),
        )

    assert desk.steps(accepted["id"]).count("shortlisted") == 1


def test_an_event_about_a_referral_that_is_not_here_is_parked(desk: Desk) -> None:
    desk.match(
        "shortlisted", {"id": uuid4(), "client_id": uuid4(), "clinic_id": str(PEER)}, candidates=1
    )

    assert [row["state"] for row in desk.scene.rows("SELECT state FROM deferred")] == ["parked"]


def test_sessions_show_on_the_timeline_and_to_the_clinic_only_with_its_scope(desk: Desk) -> None:
    scope = ["matching", "scheduling", "notification"]
    quiet = desk.submit(referral(consent={**CONSENT, "scope": scope}))
    for event, more in (("booked", {}), ("rescheduled", {}), ("cancelled", {"cause": "peer"})):
        desk.follow(
            f"session.{event}.v1", quiet, SESSION, session_id=SESSION, starts_at=LATER, **more
        )

    for_coordinator = desk.read(quiet["id"], COORDINATOR).json["timeline"]
    assert [step["step"] for step in for_coordinator[2:]] == [
        "session-booked",
        "session-rescheduled",
        "session-cancelled",
    ]
    assert for_coordinator[-1]["details"]["cause"] == "peer"
    desk.message("delivered", quiet, kind="session-booked", channel="email")
    assert desk.steps(quiet["id"], CLERK) == ["received", "submitted"]


def test_the_clinic_sees_that_a_session_is_booked_but_not_when(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.follow("session.booked.v1", accepted, SESSION, session_id=SESSION, starts_at=LATER)

    (booked,) = [
        step
        for step in desk.read(accepted["id"], CLERK).json["timeline"]
        if step["step"] == "session-booked"
    ]
    assert booked["details"] == {}


def test_a_person_who_must_be_told_by_somebody_is_a_task_until_told(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    message_id = uuid4()
    desk.message("needs_staff", accepted, message_id, channel="phone")
    (task,) = desk.tasks()
    assert (task["kind"], task["details"]["message_id"]) == ("tell-person", str(message_id))

    desk.message("delivered", accepted, message_id, channel="phone", repeats=0)
    assert desk.tasks() == []


def test_a_message_that_could_not_be_delivered_is_a_task(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.message("undeliverable", accepted, reason="mailbox-unknown")
    desk.message("withheld", accepted, reason="not-consented")

    assert [task["kind"] for task in desk.tasks()] == ["message-undeliverable"]
    assert desk.steps(accepted["id"])[-2:] == ["message-undeliverable", "message-withheld"]


def test_whoever_asked_not_to_be_contacted_is_told_by_staff(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    desk.message("withheld", accepted, reason="do-not-contact")

    (task,) = desk.tasks()
    assert (task["kind"], task["details"]["reason"]) == ("tell-person", "do-not-contact")


def test_a_message_taken_back_needs_nobody_to_tell_it(desk: Desk, accepted: dict[str, Any]) -> None:
    message_id = uuid4()
    desk.message("needs_staff", accepted, message_id, channel="phone")

    desk.message("withheld", accepted, message_id, reason="session-moved")

    assert desk.tasks() == []


def disown(desk: Desk, of: dict[str, Any], person: str = "client", by: str = "match") -> None:
    facts: dict[str, Any] = {"person": person, "person_id": of["client_id"]}
    if by == "match":
        desk.match("contact_disowned", of, **facts)
    else:
        facts |= {"session_id": SESSION, "starts_at": LATER}
        desk.follow("session.contact_disowned.v1", of, SESSION, **facts)


@pytest.mark.parametrize("by", ["match", "session"])
def test_a_disowned_contact_is_written_to_no_more_and_is_a_task(
    desk: Desk, accepted: dict[str, Any], by: str
) -> None:
    for _ in range(2):
        disown(desk, accepted, by=by)

    contact = desk.contact(accepted["id"])
    assert (contact["allowed"], contact["reason"]) == (False, "contact-disputed")
    assert contact["email"] is None
    assert [task["kind"] for task in desk.tasks()] == ["contact-disputed"]
    for reader in (CLERK, COORDINATOR):
        assert desk.steps(accepted["id"], reader).count("contact-disputed") == 1


def test_a_peers_disowned_contact_is_not_the_clients(desk: Desk, accepted: dict[str, Any]) -> None:
    disown(desk, accepted, person="peer")

    assert desk.contact(accepted["id"])["allowed"] is True
    assert desk.tasks() == []


def test_the_same_persons_other_referral_is_silent_too(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    again = desk.submit()
    assert again["client_id"] == accepted["client_id"]

    disown(desk, accepted)
    assert desk.contact(again["id"])["reason"] == "contact-disputed"
    desk.do("correct_client", again["id"], body={"email": "right@example.org"})

    assert desk.contact(accepted["id"])["email"] == "right@example.org"
    assert desk.tasks() == []


@pytest.mark.parametrize(
    ("given", "is_settled"),
    [
        ({"preferred_name": "Ames"}, False),
        ({"phone": "+12025550101"}, False),
        ({"phone": "+12025550101", "preferred_channel": "phone"}, True),
        ({"email": "right@example.org"}, True),
        ({"email": "amy.shaw@example.com"}, True),
        ({"representative": {"name": "Bo", "email": "bo@example.org"}}, True),
    ],
)
def test_a_dispute_ends_when_the_contact_is_given_anew(
    desk: Desk, accepted: dict[str, Any], given: dict[str, Any], *, is_settled: bool
) -> None:
    disown(desk, accepted)

    reply = desk.do("correct_client", accepted["id"], body=given)

    assert reply.status == 200, reply.text
    assert desk.contact(accepted["id"])["allowed"] is is_settled
    assert (desk.tasks() == []) is is_settled
    disown(desk, accepted)
    assert desk.contact(accepted["id"])["reason"] == "contact-disputed"


def test_a_message_to_the_peer_is_none_of_the_clinics(desk: Desk, accepted: dict[str, Any]) -> None:
    desk.message("delivered", accepted, recipient="peer", channel="email")

    assert "message-delivered" not in desk.steps(accepted["id"], CLERK)


def test_a_task_is_done_once_and_in_the_version_seen(desk: Desk) -> None:
    desk.submit(referral({"phone": "555-555-5555"}))
    (task,) = desk.tasks()
    path = {"task_id": task["id"]}
    seen = desk.scene.call("read_task", COORDINATOR, path=path)

    blind = desk.scene.call("finish_task", COORDINATOR, path=path)
    done = desk.scene.call("finish_task", COORDINATOR, path=path, if_match=seen.etag)
    again = desk.scene.call("finish_task", COORDINATOR, path=path, if_match=done.etag)

    assert (blind.status, done.status, again.status) == (428, 200, 409)
    assert desk.tasks() == []
    assert [one["id"] for one in desk.tasks(done="true")] == [task["id"]]


def test_the_end_of_a_referral_settles_its_tasks(desk: Desk) -> None:
    submitted = desk.submit(referral({"phone": "555-555-5555"}))

    desk.do("withdraw_referral", submitted["id"])

    assert desk.tasks() == []


def test_a_peers_time_away_and_what_the_person_said_stand_in_the_timeline(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    walk_to_match(desk, accepted)
    leave_id = UUID(int=77)

    desk.follow("leave.asked.v1", accepted, leave_id, leave_id=leave_id, session_ids=[])
    told = {"leave_id": leave_id, "session_ids": [], "wish": "cover", "told_by": "client"}
    desk.follow("leave.answered.v1", accepted, leave_id, **told)
    desk.follow("leave.question_withdrawn.v1", accepted, leave_id, leave_id=leave_id)

    assert desk.steps(accepted["id"])[-3:] == ["peer-away", "peer-away-cover", "peer-there"]


def test_a_disowned_question_about_a_leave_makes_the_contact_a_disputed_one(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    leave_id = UUID(int=78)

    desk.follow("leave.contact_disowned.v1", accepted, leave_id, person="client")

    assert "contact-disputed" in desk.steps(accepted["id"])


def test_a_match_that_grew_quiet_is_somebodys_task_until_they_meet_again(
    desk: Desk, accepted: dict[str, Any]
) -> None:
    walk_to_match(desk, accepted)

    desk.match("quiet", accepted, peer_id=PEER)
    assert [task["kind"] for task in desk.tasks()] == ["reach-out"]

    desk.match("in_touch", accepted, peer_id=PEER)
    assert desk.tasks() == []
    assert desk.steps(accepted["id"])[-2:] == ["quiet", "in-touch"]
