"""Another time, cancelled, how it went: what changes, what is told, and in which order."""

from datetime import datetime

import pytest

from tests.integration.scheduling.region import Region

TUESDAY_NINE = "2027-01-05T15:00:00Z"
TUESDAY_TEN = "2027-01-05T16:00:00Z"
WEDNESDAY_NINE = "2027-01-06T15:00:00Z"


def kinds(region: Region, session_id: str) -> list[str]:
    return [kind for kind, _ in region.told(session_id)]


def slug(reply: object) -> str:
    kind: str = reply.json["type"]  # type: ignore[attr-defined]
    return kind.rpartition(":")[2]


def test_a_new_time_moves_the_claims_and_tells_the_old_one(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    reply = region.act(
        "reschedule", region.coordinator, session_id, {"starts_at": WEDNESDAY_NINE, "minutes": 30}
    )

    assert (reply.status, reply.json["revision"]) == (200, 1)
    assert {row["during"].lower.day for row in region.claims()} == {6}
    kind, facts = region.told(session_id)[-1]
    assert kind == "session.rescheduled.v1"
    assert (facts["previous_starts_at"], facts["starts_at"]) == (TUESDAY_NINE, WEDNESDAY_NINE)
    assert (facts["ends_at"], facts["revision"]) == ("2027-01-06T15:30:00Z", 1)
    assert region.book(region.coordinator, pair, TUESDAY_NINE).status == 201


def test_a_session_can_move_by_less_than_its_own_length(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    body = {"starts_at": "2027-01-05T15:30:00Z"}

    assert region.act("reschedule", region.coordinator, session_id, body).status == 200


def test_moving_onto_a_taken_time_changes_nothing(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    region.booked(pair, TUESDAY_TEN)
    claims = region.claims()
    reply = region.act("reschedule", region.coordinator, session_id, {"starts_at": TUESDAY_TEN})

    assert (reply.status, slug(reply)) == (409, "time-taken")
    assert region.claims() == claims
    assert kinds(region, session_id) == ["session.booked.v1"]


def test_a_cancelled_session_gives_its_time_back(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    reply = region.act("cancel", region.client(pair), session_id)

    assert (reply.json["state"], reply.json["cause"], reply.json["revision"]) == (
        "cancelled",
        "client",
        1,
    )
    assert region.claims() == []
    assert region.told(session_id)[-1][1]["cause"] == "client"
    assert region.book(region.coordinator, pair, TUESDAY_NINE).status == 201


def test_cancelling_twice_is_said_and_told_once(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    region.act("cancel", region.coordinator, session_id)
    again = region.act("cancel", region.coordinator, session_id)

    assert (again.status, slug(again)) == (409, "already-cancelled")
    assert kinds(region, session_id) == ["session.booked.v1", "session.cancelled.v1"]


def test_a_coordinator_records_who_cancelled_and_others_speak_for_themselves(
    region: Region,
) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    by_client = region.act("cancel", region.client(pair), session_id, {"cause": "peer"})
    by_staff = region.act("cancel", region.coordinator, session_id, {"cause": "peer"})

    assert (by_client.status, list(by_client.json["errors"])) == (422, ["cause"])
    assert by_staff.json["cause"] == "peer"


def test_events_of_a_session_are_numbered_in_the_order_of_its_changes(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    region.act("reschedule", region.peer(pair), session_id, {"starts_at": TUESDAY_TEN})
    region.act("cancel", region.peer(pair), session_id)

    query = "SELECT type, sequence FROM outbox WHERE aggregate = 'session' ORDER BY position"
    assert [tuple(row.values()) for row in region.scene.rows(query)] == [
        ("session.booked.v1", 1),
        ("session.rescheduled.v1", 2),
        ("session.cancelled.v1", 3),
    ]
    assert [facts["revision"] for _, facts in region.told(session_id)] == [0, 1, 2]


def test_staff_say_which_version_they_saw(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    etag = region.show(session_id).etag
    path = {"session_id": session_id}
    without = region.scene.call("cancel", region.coordinator, {}, path=path)
    region.act("reschedule", region.coordinator, session_id, {"starts_at": TUESDAY_TEN})
    stale = region.scene.call("cancel", region.coordinator, {}, path=path, if_match=etag)

    assert (without.status, stale.status) == (428, 412)
    assert region.show(session_id).json["state"] == "booked"


def test_a_peer_changes_their_session_without_naming_a_version(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    path = {"session_id": session_id}

    assert region.scene.call("cancel", region.peer(pair), {}, path=path).status == 200


def test_an_outcome_waits_for_the_session_to_begin(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    early = region.act("record_outcome", region.peer(pair), session_id, {"outcome": "held"})
    region.scene.pass_time(days=1, hours=4)
    reply = region.act("record_outcome", region.peer(pair), session_id, {"outcome": "held"})
    again = region.act("record_outcome", region.peer(pair), session_id, {"outcome": "held"})

    assert (early.status, slug(early)) == (409, "not-begun")
    assert (reply.status, reply.json["state"]) == (200, "held")
    assert (again.status, slug(again)) == (409, "already-recorded")
    assert region.told(session_id)[-1][1]["outcome"] == "held"


def test_a_client_records_no_outcome(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    body = {"outcome": "not-held"}

    assert region.act("record_outcome", region.client(pair), session_id, body).status == 403


def test_a_session_that_began_is_not_cancelled_any_more(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    region.scene.now = datetime.fromisoformat(TUESDAY_NINE)
    reply = region.act("cancel", region.coordinator, session_id)

    assert (reply.status, slug(reply)) == (409, "already-begun")


def test_without_an_outcome_a_session_becomes_unresolved_once(region: Region) -> None:
    session_id = region.booked(region.pair(), TUESDAY_NINE)
    region.scene.pass_time(days=1, hours=12)
    region.scene.run_timer("leave_unresolved")
    waiting = region.show(session_id).json["state"]
    region.scene.pass_time(days=1)
    region.scene.run_timer("leave_unresolved")
    region.scene.run_timer("leave_unresolved")

    assert (waiting, region.show(session_id).json["state"]) == ("booked", "unresolved")
    assert kinds(region, session_id) == ["session.booked.v1", "session.outcome_recorded.v1"]


def test_an_unresolved_session_can_still_be_told(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    region.scene.pass_time(days=3)
    region.scene.run_timer("leave_unresolved")
    body = {"outcome": "held"}

    assert region.act("record_outcome", region.peer(pair), session_id, body).json["state"] == "held"


@pytest.mark.parametrize("action", ["reschedule", "cancel", "record_outcome"])
def test_what_is_not_there_is_not_found(region: Region, action: str) -> None:
    body = {"reschedule": {"starts_at": TUESDAY_NINE}, "record_outcome": {"outcome": "held"}}
    path = {"session_id": "00000000-0000-0000-0000-000000000001"}
    reply = region.scene.call(action, region.coordinator, body.get(action, {}), path=path)

    assert reply.status == 404
