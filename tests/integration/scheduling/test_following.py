"""What the events of other services change: sessions are called off, people corrected."""

from uuid import UUID, uuid4

import pytest

from tests.integration.scheduling.region import ZONE, Pair, Region

TUESDAY_NINE = "2027-01-05T15:00:00Z"
TUESDAY_TEN = "2027-01-05T16:00:00Z"


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        ("match.ended.v1", "match-ended"),
        ("referral.withdrawn.v1", "match-ended"),
        ("referral.consent_ended.v1", "consent-ended"),
    ],
)
def test_the_end_calls_off_what_lies_ahead_and_nothing_else(
    region: Region, event: str, cause: str
) -> None:
    pair, other = region.pair(), region.pair()
    past = region.booked(pair, "2027-01-04T15:00:00Z")
    ahead = [region.booked(pair, start) for start in (TUESDAY_NINE, TUESDAY_TEN)]
    untouched = region.booked(other, TUESDAY_NINE)
    region.scene.pass_time(hours=5)
    hear(region, event, pair)

    for session_id in ahead:
        seen = region.show(session_id).json
        assert (seen["state"], seen["cause"]) == ("cancelled", cause)
        assert region.told(session_id)[-1][0] == "session.cancelled.v1"
    assert region.show(past).json["state"] == region.show(untouched).json["state"] == "booked"
    assert {str(row["session_id"]) for row in region.claims()} == {past, untouched}


@pytest.mark.parametrize(
    ("until", "cancelled"), [(None, [True, True]), ("2027-01-06", [True, False])]
)
def test_a_pause_cancels_what_lies_in_it_and_the_match_goes_on(
    region: Region, until: str | None, cancelled: list[bool]
) -> None:
    pair = region.pair()
    during = region.booked(pair, TUESDAY_NINE)
    afterwards = region.booked(pair, "2027-01-06T15:00:00Z")

    region.hear_of_referral("referral.paused.v1", pair, until=until)

    states = [region.show(one).json["state"] == "cancelled" for one in (during, afterwards)]
    assert states == cancelled
    assert region.book(region.coordinator, pair, "2027-01-08T15:00:00Z").status == 201


@pytest.mark.parametrize(
    "event", ["match.ended.v1", "referral.withdrawn.v1", "referral.consent_ended.v1"]
)
def test_after_the_end_nothing_is_booked_and_no_late_yes_opens_it(
    region: Region, event: str
) -> None:
    pair = region.pair()
    hear(region, event, pair)
    region.hear_of_match("match.confirmed.v1", pair, mode="video")
    reply = region.book(region.coordinator, pair, TUESDAY_NINE)

    assert (reply.status, reply.json["type"].rpartition(":")[2]) == (409, "match-ended")
    assert region.times(region.coordinator, pair).status == 409


def test_a_match_that_ended_before_it_was_heard_of_is_known_as_ended(region: Region) -> None:
    pair = Pair()
    ended = {**region.match_facts(pair), "peer_id": None, "peer_organisation_id": None}
    region.scene.receive(
        "match.ended.v1",
        {**ended, "reason": "client-choice"},
        subject=pair.match_id,
        org=region.clinic_id,
    )

    assert region.book(region.coordinator, pair, TUESDAY_NINE).status == 409


def test_the_same_end_told_five_times_is_told_on_once(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    event_id = uuid4()
    for _ in range(5):
        region.scene.receive(
            "match.ended.v1",
            {**region.match_facts(pair), "reason": "goals-reached"},
            subject=pair.match_id,
            org=region.organisation_id,
            clinicorg=region.clinic_id,
            event_id=event_id,
            sequence=2,
        )

    assert [kind for kind, _ in region.told(session_id)] == [
        "session.booked.v1",
        "session.cancelled.v1",
    ]


def test_a_corrected_client_is_who_the_sessions_and_claims_are_of(region: Region) -> None:
    pair, right = region.pair(), uuid4()
    session_id = region.booked(pair, TUESDAY_NINE)
    correct(region, pair, right)

    assert region.show(session_id).json["client_id"] == str(right)
    assert str(right) in {str(row["resource_id"]) for row in region.claims()}
    assert region.book(region.coordinator, region.pair(client_id=right), TUESDAY_NINE).status == 409
    assert (
        region.book(region.coordinator, region.pair(client_id=pair.client_id), TUESDAY_NINE).status
        == 201
    )


def test_a_corrected_client_who_is_busy_then_keeps_both_sessions(region: Region) -> None:
    pair, other = region.pair(), region.pair()
    session_id = region.booked(pair, TUESDAY_NINE)
    region.booked(other, TUESDAY_NINE)
    correct(region, pair, other.client_id)

    seen = region.show(session_id).json
    assert (seen["state"], seen["client_id"]) == ("booked", str(other.client_id))
    assert len(region.claims()) == 4


def test_a_clients_zone_is_asked_for_when_the_match_is_confirmed(region: Region) -> None:
    pair = Pair()
    region.scene.owners.on(
        "referrals",
        "/internal/people",
        lambda body: {"people": [client(region, id_) for id_ in body["ids"]]},
    )
    region.hear_of_peer(pair.peer_id)
    region.hear_of_match("match.confirmed.v1", pair, mode="video")

    assert region.times(region.client(pair), pair).json["time_zone"] == "America/New_York"
    assert region.times(region.peer(pair), pair).json["time_zone"] == ZONE


def client(region: Region, client_id: UUID) -> dict[str, str]:
    return {
        "client_id": str(client_id),
        "clinic_id": str(region.clinic_id),
        "time_zone": "America/New_York",
    }


def test_while_referrals_is_away_a_confirmation_waits(region: Region) -> None:
    pair = Pair()
    region.scene.owners.answers.clear()
    region.hear_of_peer(pair.peer_id)
    region.hear_of_match("match.confirmed.v1", pair, mode="video")

    [waiting] = region.scene.rows("SELECT type, state FROM deferred")
    assert waiting == {"type": "match.confirmed.v1", "state": "waiting"}


def hear(region: Region, event: str, pair: Pair) -> None:
    if event.startswith("match."):
        region.hear_of_match(event, pair, reason="client-choice")
    else:
        region.hear_of_referral(event, pair, by="client", cause="withdrawn")


def correct(region: Region, pair: Pair, client_id: UUID) -> None:
    region.hear_of_referral("referral.corrected.v1", pair, client_id=client_id, needs_changed=False)
