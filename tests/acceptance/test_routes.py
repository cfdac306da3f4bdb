"""Every live route refuses a missing token, a wrong role, and another organisation's id."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.region.api import Account, Api, Reply
from deploy.region.story import a_consent, rfc3339
from services.chassis.roles import Role
from tests.acceptance.clients import Matched, Peer, Place, a_leave, confirm
from tests.acceptance.conftest import NewPlace
from tests.acceptance.live import Operation, live_operations
from tests.acceptance.running import SERVICES

# The operator looks after every organisation of the region: there is no other one to them.
REGION_WIDE = Role.OPERATOR
# A new room comes by PUT under an id of the caller's choosing, so a missing one is made.
MADE_BY_PUT = {"scheduling.put_room"}
TOMORROW = rfc3339(datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
CONTACT = {
    "kind": "conversation",
    "setting": "phone",
    "minutes": 20,
    "started_at": rfc3339(datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)),
}
PEOPLE_ROLES = sorted(set(Role) - {Role.SERVICE})

# A body that is right in itself, by operation; every operation with a body is named here.
PRETEND = {
    "display_name": "Pretend",
    "email": "nobody@peers.example",
    "languages": ["en"],
    "postal_code": "74103",
    "modes": ["phone"],
    "capacity": 1,
    "certified_until": "2099-01-01",
    "time_zone": "America/Chicago",
}
BODIES: dict[str, Any] = {
    "referrals.put_clinic": {"name": "Made-up", "time_zone": "America/Chicago"},
    "referrals.submit_referral": None,  # by the place's own referral
    "referrals.decline_referral": {"reason": "no-capacity"},
    "referrals.request_information": {"asked_for": ["contact"]},
    "referrals.provide_information": {"text": "Here it is."},
    "referrals.withdraw_referral": {},
    "referrals.pause_referral": {},
    "referrals.give_consent": a_consent(),
    "referrals.correct_referral": {"topics": ["grief"]},
    "referrals.correct_client": {"preferred_name": "Bill"},
    "referrals.enter_referral": None,  # by the place's own referral
    "referrals.put_consent_scan": {"content": base64.b64encode(b"%PDF-1.7\n%%EOF").decode()},
    "matching.put_peer_organisation": {"name": "Made-up", "time_zone": "America/Chicago"},
    "referrals.take_over": None,  # by the place's own referral
    "referrals.take_over_many": None,
    "referrals.take_in_waiting": None,
    "matching.add_peer": PRETEND,
    "matching.add_peers": {"peers": [PRETEND]},
    "matching.change_peer": {"capacity": 2},
    "matching.offer": {},
    "matching.choose": {},
    "matching.accept": {},
    "matching.decline": {},
    "matching.end": {},
    "scheduling.put_availability": {"time_zone": "America/Chicago", "weekly": [], "exceptions": []},
    "scheduling.plan_leave": {"first_day": TOMORROW[:10], "last_day": TOMORROW[:10]},
    "scheduling.answer_leave": {"wish": "wait"},
    "scheduling.cover": {"peer_id": str(uuid4())},
    "scheduling.put_room": {"name": "Made-up room", "time_zone": "America/Chicago"},
    "scheduling.book": {"starts_at": TOMORROW},
    "scheduling.reschedule": {"starts_at": TOMORROW},
    "scheduling.cancel": {},
    "scheduling.record_outcome": {"outcome": "held"},
    "scheduling.log_contact": CONTACT,
    "scheduling.correct_contact": CONTACT,
    "notifications.note_told": {"outcome": "told"},
    "notifications.put_preferences": {"language": "es", "detail": "discreet"},
}


@pytest.fixture(scope="module")
def operations(api: Api) -> list[Operation]:
    return [one for one in live_operations(api) if not one.is_page]


def body_of(operation: Operation, ids: dict[str, str], referral: dict[str, Any]) -> Any:
    of_match = {"match_id": ids["match_id"]}
    waiting = {"external_reference": "import/1", "received_at": "2025-01-01T12:00:00Z"}
    from_before = {**referral, **waiting, "clinic_id": str(uuid4())}
    made = {
        "referrals.submit_referral": referral,
        "referrals.enter_referral": {**referral, "source": "fax"},
        "referrals.take_over": pair_of(referral),
        "referrals.take_over_many": {"pairs": [pair_of(referral)]},
        "referrals.take_in_waiting": {"referrals": [from_before]},
        "scheduling.book": {**BODIES["scheduling.book"], **of_match},
        "scheduling.answer_leave": {**BODIES["scheduling.answer_leave"], **of_match},
    }
    usual = BODIES.get(operation.name, {}) if operation.method != "GET" else None
    return made.get(operation.name, usual)


def pair_of(referral: dict[str, Any]) -> dict[str, Any]:
    """The referral as one who met their peer before; its clinic is nobody's here."""
    return {
        **referral,
        "clinic_id": str(uuid4()),
        "external_reference": "import/1",
        "received_at": "2025-01-01T12:00:00Z",
        "peer_id": str(uuid4()),
        "peer_organisation_id": str(uuid4()),
        "mode": "video",
    }


def ask(api: Api, operation: Operation, path: str, by: Account | None, body: Any) -> Reply:
    return api.call(operation.method, path, by=by, body=body, headers={"If-Match": '"1"'})


def unknown_ids(operation: Operation) -> dict[str, str]:
    return {name: str(uuid4()) for name in (*operation.parameters, "match_id")}


def someone(role: str, orgs: tuple[str, ...], person: str | None = None) -> Account:
    needs_person = role in {"peer", "client"}
    who = person or str(uuid4()) if needs_person else None
    return Account(role, f"{role}-{uuid4()}", orgs, who)


def test_every_operation_with_a_body_has_one_here_to_be_asked_with(
    operations: list[Operation],
) -> None:
    assert len(operations) >= 40
    with_body = {operation.name for operation in operations if operation.takes_body}
    assert with_body <= set(BODIES)


def test_every_route_refuses_a_missing_and_a_broken_token(
    api: Api, operations: list[Operation]
) -> None:
    for operation in operations:
        path = operation.at(unknown_ids(operation))
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
            reply = api.call(operation.method, path, by=None, body={}, headers=headers)
            assert (operation.name, reply.status) == (operation.name, 401)
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert reply.headers["Content-Type"] == "application/problem+json"


def test_every_route_refuses_every_role_that_it_does_not_name(
    api: Api, operations: list[Operation]
) -> None:
    for operation in operations:
        path = operation.at(unknown_ids(operation))
        for role in set(PEOPLE_ROLES) - set(operation.roles):
            reply = ask(api, operation, path, someone(role, (str(uuid4()),)), {})
            assert (operation.name, role, reply.status) == (operation.name, role, 403)


@pytest.fixture(scope="module")
def theirs(new_place: NewPlace) -> tuple[Place, dict[str, str]]:
    """Everything that has an id, at an organisation that the asking one knows nothing of."""
    place = new_place()
    peer = place.add_peer()
    return place, _ids(place, peer)


def _ids(place: Place, peer: Peer) -> dict[str, str]:
    story = place.story()
    # A number that reaches nobody opens a task.
    matched: Matched = confirm(place, story, peer, client={"phone": "555-555-5555"})
    session = story.book(matched.match_id, story.times(matched.match_id)[0]["starts_at"])
    about = {"kind": "session-booked", "session_id": session["id"]}
    message = story.wait_for_message(matched.referral_id, "delivered", to="client", **about)
    tasks = story.api.all("/api/referrals/tasks", by=place.coordinator)
    room_id = str(uuid4())
    room = {"organisation_id": place.peer_organisation_id, "name": "Made-up room"}
    story.api.call(
        "PUT", f"/api/scheduling/rooms/{room_id}", by=place.coordinator, body=room
    ).expect()
    logged = {**CONTACT, "peer_id": peer.id, "match_ids": [matched.match_id]}
    contact = story.api.call(
        "POST", "/api/scheduling/contacts", by=place.coordinator, body=logged
    ).expect(201)
    return {
        "contact_id": contact.body["id"],
        "clinic_id": place.clinic_id,
        "peer_organisation_id": place.peer_organisation_id,
        "referral_id": matched.referral_id,
        "match_id": matched.match_id,
        "offer_id": matched.offer_id,
        "peer_id": matched.peer_id,
        "person_id": matched.client_id,
        "session_id": session["id"],
        "task_id": next(task["id"] for task in tasks),
        "room_id": room_id,
        "leave_id": a_leave(place, peer)["id"],
        "messages": message["id"],
        "people": matched.client_id,
    }


def ids_of(operation: Operation, ids: dict[str, str]) -> dict[str, str]:
    """The ids by parameter name; a bare `id` is told by the word before it in the path."""
    named = re.search(r"/(\w+)/\{id\}", operation.path)
    return ids | ({"id": ids[named[1]]} if named else {})


def with_ids(operations: list[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if operation.parameters or operation.name == "scheduling.book":
            yield operation


def test_another_organisations_id_answers_exactly_like_a_missing_one(
    api: Api,
    operations: list[Operation],
    theirs: tuple[Place, dict[str, str]],
    new_place: NewPlace,
) -> None:
    _, ids = theirs
    ours = new_place()
    asked = 0
    for operation in with_ids(operations):
        for role in set(operation.roles) - {REGION_WIDE}:
            stranger = someone(role, ours.orgs)
            replies = [
                ask(api, operation, operation.at(known), stranger, body_of(operation, known, {}))
                for known in (ids_of(operation, ids), unknown_ids(operation))
            ]
            assert (operation.name, role, replies[0].status) == (operation.name, role, 404)
            if operation.name not in MADE_BY_PUT:
                assert replies[1].status == 404
                assert without_ids(replies[0]) == without_ids(replies[1])
            asked += 1
    assert asked >= 60


def without_ids(reply: Reply) -> dict[str, Any]:
    """The problem but for what names this one request."""
    return {name: value for name, value in reply.body.items() if name != "instance"}


def test_a_list_shows_a_stranger_nothing_of_another_organisation(
    api: Api,
    operations: list[Operation],
    theirs: tuple[Place, dict[str, str]],
    new_place: NewPlace,
) -> None:
    _, ids = theirs
    ours = new_place()
    queries = {"notifications.list_messages": {"referral_id": ids["referral_id"]}}
    for operation in operations:
        if operation.method != "GET" or operation.parameters:
            continue
        for role in set(operation.roles) - {REGION_WIDE}:
            stranger = someone(role, ours.orgs)
            reply = api.get(operation.path, by=stranger, **queries.get(operation.name, {}))
            assert (operation.name, role, reply.status) in {
                (operation.name, role, 200),
                (operation.name, role, 404),
            }
            for value in ids.values():
                assert value not in reply.text


def test_another_person_of_the_same_organisation_sees_and_changes_nothing(
    api: Api, operations: list[Operation], theirs: tuple[Place, dict[str, str]]
) -> None:
    place, ids = theirs
    asked = 0
    for operation in with_ids(operations):
        for role in {"peer", "client"} & set(operation.roles):
            if "organisation" in operation.path or "room" in operation.path:
                continue
            stranger = someone(role, place.orgs)
            known = ids_of(operation, ids)
            reply = ask(
                api, operation, operation.at(known), stranger, body_of(operation, known, {})
            )
            assert (operation.name, role, reply.status) == (operation.name, role, 404)
            asked += 1
    assert asked >= 20


def test_an_internal_path_never_answers_through_the_gateway(api: Api, place: Place) -> None:
    for path in ("/internal/contacts", "/internal/needs", "/metrics", "/api/referrals/internal"):
        for by in (None, place.coordinator, place.supervisor):
            reply = api.call("POST", path, by=by, body={"ids": []})
            assert (path, reply.status) == (path, 404)


def test_health_tells_live_and_ready_of_every_service(api: Api) -> None:
    for service in SERVICES:
        for what in ("live", "ready"):
            assert api.call("GET", f"/health/{service}/{what}", by=None).status == 200


def test_unknown_paths_methods_and_large_bodies_are_problems_too(api: Api, place: Place) -> None:
    path = "/api/referrals/referrals"
    asked = {
        404: api.call("GET", "/api/referrals/nothing-here", by=place.clinic),
        405: api.call("DELETE", path, by=place.clinic),
        413: api.call("POST", path, by=place.clinic, body={"wishes": "x" * 200_000}),
        415: api.call(
            "POST", path, by=place.clinic, body=b"a=b", headers={"Content-Type": "text/plain"}
        ),
    }
    outside = {404: api.call("GET", "/nothing", by=None)}
    huge = {413: api.call("POST", path, by=place.clinic, body=b"x" * 2_000_000)}

    for status, reply in [*asked.items(), *outside.items(), *huge.items()]:
        assert reply.status == status
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert reply.body["status"] == status
    assert asked[405].headers["Allow"]
