"""From times that suit both to a booked session, and who may book what."""

from uuid import UUID, uuid4

import pytest

from tests import support
from tests.integration.scheduling.region import ZONE, Pair, Region

TUESDAY_NINE = "2027-01-05T15:00:00Z"
TUESDAY_TEN = "2027-01-05T16:00:00Z"
SATURDAY = "2027-01-09T16:00:00Z"


def test_the_first_time_offered_can_be_booked(region: Region) -> None:
    pair = region.pair()
    first = region.times(region.coordinator, pair).json["items"][0]
    reply = region.book(region.coordinator, pair, first["starts_at"])

    assert first["wall_starts_at"] == "2027-01-04T09:00:00"
    assert reply.status == 201
    assert reply.headers["Location"] == f"/api/scheduling/sessions/{reply.json['id']}"
    assert reply.json["starts_at"] == first["starts_at"] == "2027-01-04T15:00:00Z"
    assert reply.json["ends_at"] == first["ends_at"]
    assert reply.json["wall_starts_at"] == first["wall_starts_at"]
    assert (reply.json["time_zone"], reply.json["mode"]) == (ZONE, "video")


def test_a_booked_session_is_told_with_its_facts(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)

    [(kind, facts)] = region.told(session_id)
    assert kind == "session.booked.v1"
    assert facts == {
        "session_id": session_id,
        **{name: str(value) for name, value in region.match_facts(pair).items()},
        "starts_at": TUESDAY_NINE,
        "ends_at": "2027-01-05T15:50:00Z",
        "time_zone": ZONE,
        "revision": 0,
        "mode": "video",
        "existing": False,
    }


def test_peer_client_and_room_are_claimed_and_the_peer_rests(region: Region) -> None:
    pair, room_id = region.pair(), put_room(region)
    region.booked(pair, TUESDAY_NINE, room_id=room_id)

    claims = {row["kind"]: (str(row["resource_id"]), row["during"]) for row in region.claims()}
    assert {kind: id_ for kind, (id_, _) in claims.items()} == {
        "peer": str(pair.peer_id),
        "client": str(pair.client_id),
        "room": room_id,
    }
    assert claims["peer"][1].upper.minute == 0
    assert claims["client"][1].upper.minute == claims["room"][1].upper.minute == 50


def test_a_taken_time_is_refused_in_plain_words(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, TUESDAY_NINE)
    reply = region.book(region.coordinator, pair, TUESDAY_NINE)

    assert reply.status == 409
    assert reply.json["type"].endswith("time-taken")
    assert "detail" not in reply.json
    assert str(pair.peer_id) not in reply.text


@pytest.mark.parametrize("shared", ["peer_id", "client_id"])
def test_whoever_is_shared_by_two_matches_is_booked_once_at_a_time(
    region: Region, shared: str
) -> None:
    first = region.pair()
    second = region.pair(**{shared: getattr(first, shared)})
    region.booked(first, TUESDAY_NINE)

    assert region.book(region.coordinator, second, TUESDAY_NINE).status == 409
    assert region.book(region.coordinator, second, TUESDAY_TEN).status == 201


def test_two_matches_do_not_meet_in_one_room(region: Region) -> None:
    room_id = put_room(region)
    region.booked(region.pair(), TUESDAY_NINE, room_id=room_id)
    reply = region.book(region.coordinator, region.pair(), TUESDAY_NINE, room_id=room_id)

    assert reply.status == 409


def test_a_claim_holds_also_for_an_organisation_that_cannot_see_it(region: Region) -> None:
    client_id = uuid4()
    region.booked(region.pair(client_id=client_id), TUESDAY_NINE)
    elsewhere = Elsewhere(region, client_id)
    times = region.times(elsewhere.coordinator, elsewhere.pair).json["items"]
    reply = region.book(elsewhere.coordinator, elsewhere.pair, TUESDAY_NINE)

    assert TUESDAY_NINE not in {time["starts_at"] for time in times}
    assert TUESDAY_TEN in {time["starts_at"] for time in times}
    assert (reply.status, reply.json["type"].rpartition(":")[2]) == (409, "time-taken")


class Elsewhere:
    """Another peer organisation and clinic, whose match has the same client."""

    def __init__(self, region: Region, client_id: UUID) -> None:
        own = region.clinic_id, region.organisation_id
        region.clinic_id, region.organisation_id = uuid4(), uuid4()
        region.hear_of_organisations(region.clinic_id, region.organisation_id)
        self.coordinator = support.coordinator(region.clinic_id, region.organisation_id)
        self.pair = region.pair(client_id=client_id)
        region.clinic_id, region.organisation_id = own


def test_the_client_books_in_the_clients_own_zone(region: Region) -> None:
    pair = region.pair()
    hours = [{"day": "mon", "from": "10:00", "to": "12:00"}]
    region.hear_of_match("match.activated.v1", pair)
    learn_client(region, pair)
    reply = region.give_hours(
        region.client(pair), pair.client_id, time_zone="America/New_York", weekly=hours
    )
    assert reply.status == 200, reply.text
    times = region.times(region.client(pair), pair)

    assert times.json["time_zone"] == "America/New_York"
    assert [time["wall_starts_at"][11:16] for time in times.json["items"]][:3] == [
        "10:00",
        "10:30",
        "11:00",
    ]
    assert region.book(region.client(pair), pair, times.json["items"][0]["starts_at"]).status == 201


def learn_client(region: Region, pair: Pair) -> None:
    told = {"client_id": pair.client_id, "clinic_id": region.clinic_id, "time_zone": ZONE}
    region.scene.owners.on(
        "referrals", "/internal/people", {"people": [{k: str(v) for k, v in told.items()}]}
    )


def test_outside_the_hours_only_who_says_so_books(region: Region) -> None:
    pair = region.pair()
    plain = region.book(region.peer(pair), pair, SATURDAY)
    by_client = region.book(region.client(pair), pair, SATURDAY, outside_availability=True)
    by_peer = region.book(region.peer(pair), pair, SATURDAY, outside_availability=True)

    assert (plain.status, plain.json["type"].rpartition(":")[2]) == (409, "outside-availability")
    assert by_client.status == 403
    assert by_peer.status == 201


def test_that_both_know_of_it_is_for_the_peer_and_staff_to_say(region: Region) -> None:
    pair = region.pair()

    by_client = region.book(region.client(pair), pair, TUESDAY_NINE, existing=True)
    by_peer = region.book(region.peer(pair), pair, TUESDAY_NINE, existing=True)

    assert (by_client.status, by_peer.status) == (403, 201)
    name, told = region.scene.events()[-1]
    assert (name, told["existing"]) == ("session.booked.v1", True)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2027-01-04T11:59:59Z"}, "starts_at"),
        ({"starts_at": "2029-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"minutes": 14}, "minutes"),
        ({"minutes": 241}, "minutes"),
        ({"mode": "pigeon"}, "mode"),
        ({"room_id": str(uuid4())}, "room_id"),
        ({"note": "hello"}, "note"),
    ],
)
def test_a_booking_that_makes_no_sense_is_named_by_its_field(
    region: Region, change: dict[str, str], field: str
) -> None:
    body = {"starts_at": TUESDAY_NINE, **change}
    reply = region.book(region.coordinator, region.pair(), **body)

    assert (reply.status, list(reply.json["errors"])) == (422, [field])
    assert region.claims() == []


def test_a_match_is_booked_on_before_its_event_came(region: Region) -> None:
    pair = Pair()
    region.hear_of_peer(pair.peer_id)
    region.give_hours(region.peer(pair), pair.peer_id)
    region.scene.owners.on("matching", "/internal/matches", {"matches": [told(region, pair)]})
    reply = region.book(region.coordinator, pair, TUESDAY_NINE)
    region.hear_of_match("match.confirmed.v1", pair, mode="video")

    assert reply.status == 201
    assert region.show(reply.json["id"]).json["state"] == "booked"


@pytest.mark.parametrize(
    ("state", "slug"), [("chosen", "match-not-confirmed"), ("ended", "match-ended")]
)
def test_a_match_without_both_yeses_is_not_booked_on(region: Region, state: str, slug: str) -> None:
    pair = Pair()
    region.hear_of_peer(pair.peer_id)
    asked = {"matches": [{**told(region, pair), "state": state}]}
    region.scene.owners.on("matching", "/internal/matches", asked)
    reply = region.book(region.coordinator, pair, TUESDAY_NINE)

    assert (reply.status, reply.json["type"].rpartition(":")[2]) == (409, slug)


def told(region: Region, pair: Pair) -> dict[str, str | None]:
    facts = {name: str(value) for name, value in region.match_facts(pair).items()}
    return {**facts, "state": "confirmed", "mode": "video", "answer_by": None}


def test_a_match_that_nobody_knows_is_not_found(region: Region) -> None:
    region.scene.owners.on("matching", "/internal/matches", {"matches": []})

    assert region.book(region.coordinator, Pair(), TUESDAY_NINE).status == 404
    assert region.times(region.coordinator, Pair()).status == 404


def test_while_matching_is_away_an_unknown_match_is_tried_again_later(region: Region) -> None:
    assert region.book(region.coordinator, Pair(), TUESDAY_NINE).status == 503


def test_the_same_key_books_once(region: Region) -> None:
    pair = region.pair()
    body = {"match_id": pair.match_id, "starts_at": TUESDAY_NINE}
    replies = [region.scene.call("book", region.coordinator, body, key="one") for _ in range(2)]

    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].json["id"] == replies[1].json["id"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"minutes": 5}, "minutes"),
        ({"from": "2027-01-05T00:00:00"}, "from"),
        ({"from": "2028-06-01T00:00:00Z"}, "from"),
        ({"to": "2027-01-01T00:00:00Z"}, "to"),
        ({"to": "2027-12-01T00:00:00Z"}, "to"),
        ({"wish": "soon"}, "wish"),
    ],
)
def test_a_window_that_makes_no_sense_is_named_by_its_field(
    region: Region, query: dict[str, str], field: str
) -> None:
    reply = region.times(region.coordinator, region.pair(), **query)

    assert (reply.status, list(reply.json["errors"])) == (422, [field])


def test_times_keep_to_the_window_the_length_and_the_room(region: Region) -> None:
    pair, room_id = region.pair(), put_room(region)
    region.booked(region.pair(), TUESDAY_NINE, room_id=room_id, minutes=60)
    window = {"from": "2027-01-05T14:00:00Z", "to": "2027-01-05T17:30:00Z", "minutes": 60}
    free = region.times(region.coordinator, pair, **window).json["items"]
    in_room = region.times(region.coordinator, pair, **window, room_id=room_id).json["items"]

    hours = [time["wall_starts_at"][11:16] for time in free]
    assert hours == ["09:00", "09:30", "10:00", "10:30"]
    assert [time["wall_starts_at"][11:16] for time in in_room] == ["10:00", "10:30"]


def put_room(region: Region) -> str:
    room_id = str(uuid4())
    body = {"organisation_id": region.organisation_id, "name": "Garden room", "area": "Tulsa"}
    reply = region.scene.call("put_room", region.coordinator, body, path={"room_id": room_id})
    assert reply.status == 200, reply.text
    return room_id
