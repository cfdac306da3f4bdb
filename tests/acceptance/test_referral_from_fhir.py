"""Persons and a request that no one here wrote go through the whole story."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.region.accounts import COORDINATOR, clinic_account, peer_account
from deploy.region.api import Api
from deploy.region.mailbox import Mailbox
from deploy.region.people import DUCK_CREEK, PEERS, TIME_ZONE
from deploy.region.story import Story, a_consent
from tests.acceptance.running import eventually

EXAMPLES = Path(__file__).parents[1] / "examples" / "us-core"
CLEARED = {peer.email for peer in PEERS if peer.facts["cleared_for_minors"]}
URGENCY = {"routine": "routine", "urgent": "soon", "asap": "urgent", "stat": "urgent"}


def resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / name).read_text())
    return found


def referral_of(patient: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """A referral from a FHIR Patient and ServiceRequest.

    What the request is for, and why, stays behind: a referral names no diagnosis and no treatment.
    """
    name = _current(patient["name"])
    contacts = _contacts(patient.get("telecom", []))
    client = {
        "given_name": " ".join(name["given"]),
        "family_name": name["family"],
        "birth_date": patient["birthDate"],
        "record_number": patient["identifier"][0]["value"],
        "preferred_channel": "email" if "email" in contacts else "phone",
        "languages": _languages(patient),
        "time_zone": TIME_ZONE,
        "postal_code": _current(patient["address"])["postalCode"],
        **contacts,
    }
    return {
        "client": client,
        "urgency": URGENCY[request.get("priority", "routine")],
        "consent": a_consent(),
        "treatment_plan": {
            "reference": f"ServiceRequest/{request['id']}",
            "goal": "Support between the clinic's appointments",
        },
        "external_reference": f"ServiceRequest/{request['id']}",
    }


def _current(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next(
        entry
        for entry in entries
        if entry.get("use") != "old" and "end" not in entry.get("period", {})
    )


def _contacts(telecom: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {one["system"]: one["value"] for one in telecom if one["system"] in {"phone", "email"}}


def _languages(patient: Mapping[str, Any]) -> list[str]:
    spoken = [one["language"]["coding"][0]["code"] for one in patient.get("communication", [])]
    return spoken or ["en"]


@pytest.fixture
def story(api: Api, mailbox: Mailbox) -> Story:
    return Story(api, mailbox, clinic_account(DUCK_CREEK), COORDINATOR, read=mailbox.paths())


def email_of(api: Api, peer_id: str) -> str:
    return str(api.get(f"/api/matching/peers/{peer_id}", by=COORDINATOR).expect(200).body["email"])


def test_a_patient_of_us_core_goes_from_referral_to_a_session_that_all_know_of(
    api: Api, story: Story
) -> None:
    body = referral_of(resource("patient-example.json"), resource("servicerequest-rehab.json"))

    referral = story.submit(body)
    story.accept(referral["id"])
    match_id = story.shortlist(referral["id"])["match_id"]
    story.offer(referral["id"])
    story.use_link(story.letter(body["client"]["email"]))
    peer_id = story.wait_for_match(match_id, "chosen")["peer_id"]
    story.use_link(story.letter(email_of(api, peer_id)))
    story.wait_for_match(match_id, "confirmed")
    session = story.book(match_id, story.times(match_id)[0]["starts_at"])

    for role in ("client", "peer", "clinic"):
        about = {"kind": "session-booked", "session_id": session["id"]}
        story.wait_for_message(referral["id"], "delivered", to=role, **about)
    peer = api.get(f"/api/matching/peers/{peer_id}", by=COORDINATOR).body
    assert "es" in peer["languages"]
    letter = story.letter(body["client"]["email"], with_calendar=True)
    assert "Alcohol" not in letter.text
    assert tasks_of(api, referral["id"], "unreachable-phone")


def test_a_child_of_us_core_is_matched_only_with_a_cleared_peer_and_told_through_staff(
    api: Api, story: Story
) -> None:
    patient, request = resource("patient-child-example.json"), resource("servicerequest-rehab.json")
    referral = story.submit(referral_of(patient, request))
    story.accept(referral["id"])

    shortlist = story.shortlist(referral["id"])

    candidates = [candidate["peer_id"] for candidate in shortlist["candidates"]]
    assert candidates
    assert {email_of(api, peer_id) for peer_id in candidates} <= CLEARED
    assert tasks_of(api, referral["id"], "unreachable-phone")

    offered = story.offer(referral["id"])
    eventually(lambda: tasks_of(api, referral["id"], "tell"), "staff are asked to tell the child")
    heard = {"recorded_for": referral["client_id"], "how": "in-person"}
    api.act(f"/api/matching/offers/{offered['offer_id']}", "choose", by=COORDINATOR, body=heard)
    peer_id = story.wait_for_match(shortlist["match_id"], "chosen")["peer_id"]
    peer = next(peer for peer in PEERS if peer.email == email_of(api, peer_id))
    account = peer_account(peer.slug, peer.organisation, peer_id)
    path = f"/api/matching/matches/{shortlist['match_id']}/accept"
    api.call("POST", path, by=account, body={}).expect()
    session = story.book(shortlist["match_id"], story.times(shortlist["match_id"])[0]["starts_at"])

    about = {"kind": "session-booked", "session_id": session["id"]}
    story.wait_for_message(referral["id"], "delivered", to="peer", **about)
    story.wait_for_message(referral["id"], "needs-staff", to="client", **about)


def test_a_peer_who_is_not_cleared_cannot_be_offered_to_a_child(api: Api, story: Story) -> None:
    patient, request = resource("patient-child-example.json"), resource("servicerequest-rehab.json")
    body = referral_of(patient, request)
    body["client"]["given_name"] = "Another"
    referral = story.submit(body)
    story.accept(referral["id"])
    story.shortlist(referral["id"])
    uncleared = next(
        peer["id"]
        for peer in api.all("/api/matching/peers", by=COORDINATOR)
        if not peer["cleared_for_minors"]
    )
    resource_path = f"/api/matching/referrals/{referral['id']}"
    etag = api.get(f"{resource_path}/shortlist", by=COORDINATOR).etag or ""

    reply = api.call(
        "POST",
        f"{resource_path}/offer",
        by=COORDINATOR,
        body={"peer_id": uncleared, "reason": "closest"},
        headers={"If-Match": etag},
    )

    assert reply.status in {409, 422}


def tasks_of(api: Api, referral_id: str, kind: str) -> list[dict[str, Any]]:
    return [
        task
        for task in api.all("/api/referrals/tasks", by=COORDINATOR)
        if task["referral_id"] == referral_id and kind in task["kind"]
    ]
