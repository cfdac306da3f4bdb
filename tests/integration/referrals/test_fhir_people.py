"""People that HL7 wrote as examples, none of them made for us, are taken in as they are."""

import json
from pathlib import Path
from typing import Any

from tests.integration.referrals.people import CONSENT, Desk

EXAMPLES = Path(__file__).parents[2] / "examples" / "us-core"


def client_from(patient: dict[str, Any]) -> dict[str, Any]:
    """Map a FHIR Patient: current name and address, record number, contacts, languages."""
    name = next(one for one in patient["name"] if one.get("use") != "old")
    address = next(one for one in patient["address"] if one.get("use") != "old")
    telecom = {one["system"]: one["value"] for one in patient.get("telecom", [])}
    languages = [
        coding["code"]
        for spoken in patient.get("communication", [])
        for coding in spoken["language"]["coding"]
    ]
    return {
        "given_name": " ".join(name["given"]),
        "family_name": name["family"],
        "birth_date": patient["birthDate"],
        "record_number": patient["identifier"][0]["value"],
        "email": telecom.get("email"),
        "phone": telecom.get("phone"),
        "languages": languages or ["en"],
        "time_zone": "America/Chicago",
        "postal_code": address["postalCode"],
    }


def refer(desk: Desk, patient: str) -> dict[str, Any]:
    resource = json.loads((EXAMPLES / patient).read_text())
    order = json.loads((EXAMPLES / "servicerequest-rehab.json").read_text())
    body = {
        "client": client_from(resource),
        "external_reference": order["id"],
        "consent": CONSENT,
    }
    return desk.submit(body)


def test_the_grown_up_example_is_submitted_and_the_number_is_a_task(desk: Desk) -> None:
    submitted = refer(desk, "patient-example.json")

    assert submitted["status"] == "submitted"
    assert submitted["client"]["family_name"] == "Baxter"
    assert [task["kind"] for task in desk.tasks()] == ["unreachable-phone"]
    assert desk.contact(submitted["id"])["email"] == "amy.shaw@example.com"


def test_the_child_example_is_a_minor_whose_representative_is_asked_for(desk: Desk) -> None:
    submitted = refer(desk, "patient-child-example.json")

    assert submitted["status"] == "submitted"
    assert desk.needs(submitted["id"])[0]["is_minor"] is True
    assert "representative-missing" in {task["kind"] for task in desk.tasks()}


def test_what_the_order_is_for_is_not_kept(desk: Desk) -> None:
    refer(desk, "patient-example.json")

    kept = str(desk.scene.rows("SELECT * FROM referrals"))
    assert "lcohol" not in kept
