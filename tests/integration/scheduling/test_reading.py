"""Who sees which sessions, hours and rooms, and what of them."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.chassis.cursors import decode
from services.chassis.http.request import Caller
from tests import support
from tests.integration.scheduling.region import WORKDAYS, ZONE, Pair, Region
from tests.integration.scheduling.test_booking import put_room

TUESDAY_NINE = "2027-01-05T15:00:00Z"
TUESDAY_TEN = "2027-01-05T16:00:00Z"


def listed(region: Region, caller: Caller, **query: object) -> list[str]:
    reply = region.scene.call("list_sessions", caller, query=query)
    assert reply.status == 200, reply.text
    return [item["starts_at"] for item in reply.json["items"]]


def test_each_sees_the_sessions_of_their_own(region: Region) -> None:
    first, second = region.pair(), region.pair()
    region.booked(first, TUESDAY_NINE)
    region.booked(second, TUESDAY_TEN)

    assert listed(region, region.coordinator) == [TUESDAY_NINE, TUESDAY_TEN]
    ours = region.scene.call("list_sessions", region.clinic).json["items"]
    assert {item["match_id"] for item in ours} == {str(first.match_id), str(second.match_id)}
    others = region.scene.call("list_sessions", support.clinic(uuid4()))
    assert others.json["items"] == []
    assert listed(region, region.peer(first)) == [TUESDAY_NINE]
    assert listed(region, region.client(second)) == [TUESDAY_TEN]
    assert listed(region, region.client(second), person=first.client_id) == []
    assert listed(region, region.stranger) == []


def test_a_clinic_is_listed_no_sessions_but_those_of_its_own_referrals(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    too_wide = support.clinic(uuid4(), region.organisation_id)

    assert region.show(session_id, too_wide).status == 404
    assert listed(region, too_wide) == []


def test_a_role_speaks_only_for_people_who_have_it(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, TUESDAY_NINE)
    as_client, as_peer = support.client(person=pair.peer_id), support.peer(person=pair.client_id)

    assert listed(region, as_client) == listed(region, as_peer) == []
    assert region.give_hours(as_client, pair.peer_id).status == 404


def test_nobody_has_other_services_asked_about_somebody_else(region: Region) -> None:
    pair, other = region.pair(), Pair()
    region.scene.owners.asked.clear()

    assert region.give_hours(region.client(pair), other.client_id).status == 404
    assert region.give_hours(region.peer(pair), other.peer_id).status == 404
    assert region.scene.owners.asked == []


def test_a_token_of_a_person_that_names_no_organisation_shows_that_persons_sessions(
    region: Region,
) -> None:
    first, second = region.pair(), region.pair()
    session_id = region.booked(first, TUESDAY_NINE)
    region.booked(second, TUESDAY_TEN)

    assert listed(region, support.client(person=first.client_id)) == [TUESDAY_NINE]
    assert region.show(session_id, support.peer(person=first.peer_id)).status == 200
    assert region.show(session_id, support.peer(person=second.peer_id)).status == 404
    assert region.scene.call("list_sessions", support.peer()).status == 401


def test_a_list_is_narrowed_by_match_person_and_time(region: Region) -> None:
    first, second = region.pair(), region.pair()
    region.booked(first, TUESDAY_NINE)
    region.booked(second, TUESDAY_TEN)
    ask = region.coordinator

    assert listed(region, ask, match_id=first.match_id) == [TUESDAY_NINE]
    assert listed(region, ask, person=second.peer_id) == [TUESDAY_TEN]
    assert listed(region, ask, **{"from": "2027-01-05T15:50:00Z"}) == [TUESDAY_TEN]
    assert listed(region, ask, to=TUESDAY_TEN) == [TUESDAY_NINE]


def test_pages_of_a_list_show_every_session_once(region: Region) -> None:
    pair = region.pair()
    starts = [datetime(2027, 1, 5, 15, tzinfo=UTC) + timedelta(hours=hour) for hour in range(5)]
    for start in starts:
        region.booked(pair, start.isoformat())
    reply = region.scene.call("list_sessions", region.coordinator, query={"limit": 2})
    seen = [item["starts_at"] for item in reply.json["items"]]
    while "Link" in reply.headers:
        path, _, query = reply.headers["Link"].partition(">")[0].lstrip("<").partition("?")
        token = region.scene.token(region.coordinator)
        pairs = dict(pair.split("=") for pair in query.split("&"))
        headers = {"authorization": f"Bearer {token}"}
        reply = region.scene.request("GET", path, query=pairs, headers=headers)
        seen += [item["starts_at"] for item in reply.json["items"]]

    assert seen == [start.isoformat().replace("+00:00", "Z") for start in starts]


def test_a_clinic_sees_ids_and_the_state_and_nothing_else(region: Region) -> None:
    pair, room_id = region.pair(), put_room(region)
    session_id = region.booked(pair, TUESDAY_NINE, room_id=room_id)
    seen = region.show(session_id, region.clinic).json

    assert seen == {
        "id": session_id,
        "match_id": str(pair.match_id),
        "referral_id": str(pair.referral_id),
        "client_id": str(pair.client_id),
        "clinic_id": str(region.clinic_id),
        "state": "booked",
    }
    assert region.show(session_id, region.client(pair)).json["place"] == "Garden room, Tulsa"


def test_no_order_filter_or_cursor_tells_a_clinic_the_time(region: Region) -> None:
    pair = region.pair()
    hours = (20, 18, 16, 19, 17)
    booked = [region.booked(pair, f"2027-01-05T{hour}:00:00Z") for hour in hours]
    seen: list[str] = []
    query: dict[str, object] = {"limit": 2}
    while query:
        reply = region.scene.call("list_sessions", region.clinic, query=query)
        seen += [item["id"] for item in reply.json["items"]]
        found = re.findall(r"cursor=([^&>]+)", reply.headers.get("Link", ""))
        query = {"limit": 2, "cursor": found[0]} if found else {}
        assert all(decode(cursor, UUID) for cursor in found)

    assert seen == sorted(booked)
    for name in ("from", "to"):
        asked = region.scene.call("list_sessions", region.clinic, query={name: TUESDAY_NINE})
        assert (asked.status, list(asked.json["errors"])) == (422, [name])


def test_a_clinic_narrows_its_list_by_match_and_client_and_not_by_peer(region: Region) -> None:
    first, second = region.pair(), region.pair()
    session_id = region.booked(first, TUESDAY_NINE)
    region.booked(second, TUESDAY_TEN)

    def ids(**query: object) -> list[str]:
        reply = region.scene.call("list_sessions", region.clinic, query=query)
        return [item["id"] for item in reply.json["items"]]

    assert ids(match_id=first.match_id) == ids(person=first.client_id) == [session_id]
    assert ids(person=first.peer_id) == []


@pytest.mark.parametrize("action", ["book", "cancel", "reschedule", "record_outcome", "show_times"])
def test_a_clinic_changes_nothing(region: Region, action: str) -> None:
    pair = region.pair()
    path = {"session_id": region.booked(pair, TUESDAY_NINE), "match_id": pair.match_id}

    assert region.scene.call(action, region.clinic, {}, path=path).status == 403


def test_another_organisations_session_match_and_person_look_missing(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    region.scene.owners.on("matching", "/internal/matches", {"matches": []})
    region.scene.owners.on("matching", "/internal/peers", {"peers": []})
    others = [region.stranger, region.peer(Pair()), region.client(Pair())]

    for caller in others:
        assert region.show(session_id, caller).status == 404
        assert region.times(caller, pair).status == 404
        assert region.book(caller, pair, TUESDAY_TEN).status == 404
        assert region.give_hours(caller, pair.peer_id).status == 404
        assert region.give_hours(caller, pair.client_id).status == 404


def test_hours_are_put_as_a_whole_and_read_again(region: Region) -> None:
    pair = region.pair()
    path = {"person_id": pair.peer_id}
    exceptions = [{"date": "2027-01-05", "available": False, "from": "00:00", "to": "24:00"}]
    put = region.give_hours(region.peer(pair), pair.peer_id, exceptions=exceptions)
    read = region.scene.call("show_availability", region.coordinator, path=path)

    assert put.status == 200
    assert read.json == {"time_zone": ZONE, "weekly": WORKDAYS, "exceptions": exceptions}
    assert read.etag == put.etag
    assert TUESDAY_NINE not in {
        time["starts_at"] for time in region.times(region.coordinator, pair).json["items"]
    }


def test_a_coordinator_replaces_hours_only_of_a_version_seen(region: Region) -> None:
    pair = region.pair()
    path = {"person_id": pair.peer_id}
    etag = region.scene.call("show_availability", region.coordinator, path=path).etag
    body = {"time_zone": ZONE, "weekly": []}

    def put(if_match: str | None) -> int:
        return region.scene.call(
            "put_availability", region.coordinator, body, path=path, if_match=if_match
        ).status

    assert [put(None), put(etag), put(etag)] == [428, 200, 412]


def test_hours_can_be_given_before_the_peers_event_came(region: Region) -> None:
    peer_id = uuid4()
    told = {
        "peer_id": str(peer_id),
        "peer_organisation_id": str(region.organisation_id),
        "time_zone": ZONE,
        "state": "active",
    }
    region.scene.owners.on("matching", "/internal/peers", {"peers": [told]})
    before = region.scene.call(
        "show_availability", region.coordinator, path={"person_id": peer_id}
    ).status
    put = region.give_hours(region.coordinator, peer_id)
    region.hear_of_peer(peer_id)

    assert (before, put.status) == (404, 200)
    assert region.give_hours(region.coordinator, peer_id).status == 428


def test_a_person_whom_nobody_knows_has_no_hours(region: Region) -> None:
    region.scene.owners.on("matching", "/internal/peers", {"peers": []})

    assert region.give_hours(region.coordinator, uuid4()).status == 404


def test_rooms_belong_to_their_peer_organisation(region: Region) -> None:
    room_id = put_room(region)
    path = {"room_id": room_id}
    body = {"name": "Quiet room", "step_free": True, "time_zone": ZONE}
    shown = region.scene.call("show_room", region.coordinator, path=path)
    changed = region.scene.call(
        "put_room", region.coordinator, body, path=path, if_match=shown.etag
    )
    taken_over = region.scene.call("put_room", region.stranger, body, path=path)
    rooms = region.scene.call("list_rooms", region.coordinator).json["items"]

    assert shown.json["organisation_id"] == str(region.organisation_id)
    assert (changed.status, changed.json["name"], changed.json["area"]) == (200, "Quiet room", None)
    assert taken_over.status == 404
    assert region.scene.call("show_room", region.stranger, path=path).status == 404
    assert [room["id"] for room in rooms] == [room_id]


def test_a_room_is_added_to_an_organisation_that_the_caller_serves(region: Region) -> None:
    def put(**body: object) -> tuple[int, list[str]]:
        body = {"name": "Room", "time_zone": ZONE, **body}
        path = {"room_id": uuid4()}
        reply = region.scene.call("put_room", region.coordinator, body, path=path)
        return reply.status, sorted(reply.json.get("errors", {}))

    assert put() == (200, [])
    assert put(organisation_id=str(region.organisation_id)) == (200, [])
    assert put(organisation_id=str(region.clinic_id)) == (422, ["organisation_id"])
    assert put(organisation_id=str(uuid4())) == (422, ["organisation_id"])
    assert put(time_zone="Nowhere") == (422, ["time_zone"])
    assert put(name="") == (422, ["name"])
