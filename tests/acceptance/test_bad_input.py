"""Bad input: each answer names every problem, changes nothing, and is never a 500."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.region.api import Api, Reply
from tests.acceptance.clients import Place, refer
from tests.acceptance.conftest import NewPlace

SUBMIT = "/api/referrals/referrals"
# Over in every zone.
TWO_DAYS_AGO = (datetime.now(UTC).date() - timedelta(days=2)).isoformat()


@pytest.fixture(scope="module")
def place(new_place: NewPlace) -> Place:
    found = new_place()
    found.add_peer()
    return found


def referrals_of(api: Api, place: Place) -> list[Any]:
    return list(api.all(SUBMIT, by=place.clinic))


def without(place: Place, *path: str) -> dict[str, Any]:
    body = place.referral()
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body


def with_client(place: Place, **client: Any) -> dict[str, Any]:
    return place.referral(client=client)


def ended_consent(place: Place) -> dict[str, Any]:
    body = place.referral()
    body["consent"] |= {"given_on": "2020-01-01", "until": TWO_DAYS_AGO}
    return body


# What is wrong, and the fields that the one answer must name.
WRONG: dict[str, tuple[Callable[[Place], dict[str, Any]], set[str]]] = {
    "an unknown field": (lambda place: place.referral(diagnosis="none"), {"diagnosis"}),
    "an unknown inner field": (lambda place: with_client(place, ssn="1"), {"client.ssn"}),
    "a missing name": (
        lambda place: without(place, "client", "given_name"),
        {"client.given_name"},
    ),
    "no client": (lambda place: without(place, "client"), {"client"}),
    "a wrong type": (lambda place: place.referral(modes="video"), {"modes"}),
    "a number for a name": (lambda place: with_client(place, given_name=7), {"client.given_name"}),
    "an unknown zone": (
        lambda place: with_client(place, time_zone="America/Nowhere"),
        {"client.time_zone"},
    ),
    "an unknown postal code": (
        lambda place: with_client(place, postal_code="00000"),
        {"client.postal_code"},
    ),
    "a broken language tag": (
        lambda place: with_client(place, languages=["not a tag"]),
        {"client.languages.0"},
    ),
    "an impossible birth date": (
        lambda place: with_client(place, birth_date="1990-02-30"),
        {"client.birth_date"},
    ),
    "a broken address": (lambda place: with_client(place, email="nobody"), {"client.email"}),
    "a consent that has ended": (ended_consent, {"consent.until"}),
    "several at once": (
        lambda place: {
            **with_client(place, time_zone="Mars/Base", postal_code="1", email="x"),
            "urgency": "yesterday",
            "colour": "blue",
        },
        {"client.time_zone", "client.postal_code", "client.email", "urgency", "colour"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_referral_with_wrong_fields_is_answered_with_all_of_them_and_not_kept(
    api: Api, place: Place, what: str
) -> None:
    make, named = WRONG[what]
    before = len(referrals_of(api, place))

    reply = api.call("POST", SUBMIT, by=place.clinic, body=make(place))

    assert reply.status == 422
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert set(reply.body["errors"]) == named
    assert all(reply.body["errors"].values())
    assert len(referrals_of(api, place)) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{broken", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"client": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400),
        (b'{"client": {}, "client": {}}', 400),
        (b'{"wishes": "\\u0000"}', 400),
        (b'{"wishes": NaN}', 400),
        (b"x" * 100_000, 413),
    ],
    ids=["broken", "not UTF-8", "a list", "null", "deep", "twice", "a zero", "NaN", "large"],
)
def test_a_body_that_cannot_be_read_is_refused_and_nothing_is_kept(
    api: Api, place: Place, body: bytes, status: int
) -> None:
    before = len(referrals_of(api, place))

    reply = api.call("POST", SUBMIT, by=place.clinic, body=body)

    assert reply.status in {status, 422} if status == 400 else reply.status == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert len(referrals_of(api, place)) == before


def test_the_same_key_and_body_are_done_once_and_answered_twice(api: Api, place: Place) -> None:
    body, headers = place.referral(), {"Idempotency-Key": str(uuid4())}
    before = len(referrals_of(api, place))

    first, second = (
        api.call("POST", SUBMIT, by=place.clinic, body=body, headers=headers) for _ in range(2)
    )

    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert len(referrals_of(api, place)) == before + 1


def test_the_same_key_with_another_body_is_refused(api: Api, place: Place) -> None:
    headers = {"Idempotency-Key": str(uuid4())}
    api.call("POST", SUBMIT, by=place.clinic, body=place.referral(), headers=headers).expect(201)
    before = len(referrals_of(api, place))

    reply = api.call("POST", SUBMIT, by=place.clinic, body=place.referral(), headers=headers)

    assert reply.status == 422
    assert "Idempotency-Key" in reply.body["errors"]
    assert len(referrals_of(api, place)) == before


def test_a_key_sent_many_times_at_once_has_one_effect(api: Api, place: Place) -> None:
    body, headers = place.referral(), {"Idempotency-Key": str(uuid4())}
    before = len(referrals_of(api, place))

    def submit(_: int) -> Reply:
        return api.call("POST", SUBMIT, by=place.clinic, body=body, headers=headers)

    with ThreadPoolExecutor(12) as threads:
        replies = list(threads.map(submit, range(12)))

    assert {reply.status for reply in replies} <= {201, 409}
    assert len({reply.body["id"] for reply in replies if reply.status == 201}) == 1
    assert len(referrals_of(api, place)) == before + 1


def test_a_change_by_staff_without_or_with_a_stale_version_changes_nothing(
    api: Api, place: Place
) -> None:
    story = place.story()
    referral = story.submit(place.referral())
    resource = f"{SUBMIT}/{referral['id']}"
    etag = api.get(resource, by=place.clinic).etag or ""
    story.accept(referral["id"])

    missing = api.call("POST", f"{resource}/withdraw", by=place.clinic, body={})
    stale = api.call(
        "POST", f"{resource}/withdraw", by=place.clinic, body={}, headers={"If-Match": etag}
    )

    assert (missing.status, stale.status) == (428, 412)
    assert story.seen_by_clinic(referral["id"])["status"] == "accepted"


def test_an_offer_needs_the_version_of_the_shortlist_that_was_seen(api: Api, place: Place) -> None:
    story = place.story()
    referral_id = refer(place, story)["referral"]["id"]
    path = f"/api/matching/referrals/{referral_id}/offer"

    missing = api.call("POST", path, by=place.coordinator, body={})
    stale = api.call("POST", path, by=place.coordinator, body={}, headers={"If-Match": '"999"'})

    assert (missing.status, stale.status) == (428, 412)


def test_ids_that_are_none_lead_nowhere(api: Api, place: Place) -> None:
    for path in (f"{SUBMIT}/7", f"{SUBMIT}/%00", f"{SUBMIT}/..%2f..", "/api/matching/offers/x"):
        assert api.get(path, by=place.coordinator).status in {400, 404}


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "cursor=nonsense", "colour=blue"])
def test_a_wrong_query_is_named(api: Api, place: Place, query: str) -> None:
    reply = api.call("GET", f"{SUBMIT}?{query}", by=place.clinic)

    assert reply.status == 422
    assert set(reply.body["errors"]) == {query.partition("=")[0]}


def test_a_time_in_the_past_or_outside_availability_is_not_booked(api: Api, place: Place) -> None:
    story = place.story()
    referral_id = refer(place, story)["referral"]["id"]
    match_id = story.offer(referral_id)["match_id"]
    for starts_at in ("2020-01-01T10:00:00Z", "tomorrow", "2027-01-01T10:00:00"):
        body = {"match_id": match_id, "starts_at": starts_at}
        reply = api.call("POST", "/api/scheduling/sessions", by=place.coordinator, body=body)
        assert reply.status in {404, 409, 422}
