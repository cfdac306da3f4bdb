"""Many at once, over HTTP, against two replicas: one gets the place, one gets the time."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from deploy.region.api import Reply
from tests.acceptance.clients import Matched, Place, accept, choose, confirm, offer
from tests.acceptance.conftest import NewPlace
from tests.acceptance.running import Running

MANY = 50


def all_at_once(calls: Sequence[Callable[[], Reply]]) -> Counter[int]:
    """Make every call at the same moment; count the answers by status."""
    start = Barrier(len(calls))

    def call(one: Callable[[], Reply]) -> int:
        start.wait()
        return one().status

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(call, calls))


def test_of_fifty_clients_who_want_the_last_place_at_once_one_is_confirmed(
    system: Running, new_place: NewPlace
) -> None:
    place = new_place(auto_accept=True, step_seconds=60.0)
    roomy, narrow = place.add_peer(capacity=100), place.add_peer(capacity=1)
    story = place.story()
    asked = {"peer_id": roomy.id, "alternates": [narrow.id], "reason": "so that both are offered"}

    def offered(_: int) -> Matched:
        body = place.referral()
        referral = story.submit(body)
        story.shortlist(referral["id"])
        told = story.offer(referral["id"], **asked)
        return Matched(
            referral["id"],
            referral["client_id"],
            body["client"]["email"],
            told["match_id"],
            told["offer_id"],
            told["peer_id"],
        )

    with ThreadPoolExecutor(8) as threads:
        matched = list(threads.map(offered, range(MANY)))

    chosen = all_at_once([partial(choose, place, story, one, peer_id=narrow.id) for one in matched])
    accepted = all_at_once([partial(accept, story, one, narrow) for one in matched])

    assert chosen == {200: 1, 409: MANY - 1}
    # For the others it is not the narrow peer's to accept: the place held is the roomy one's.
    assert accepted[200] == 1
    assert sum(count for status, count in accepted.items() if status >= 500) == 0
    query = "SELECT count(*) AS confirmed FROM matches WHERE peer_id = %s AND state = 'confirmed'"
    assert system.rows("matching", query, narrow.id) == [{"confirmed": 1}]


def test_fifty_accepts_of_one_offer_confirm_one_match_once(system: Running, place: Place) -> None:
    peer = place.add_peer(capacity=1)
    story = place.story()
    matched = offer(place, story)
    choose(place, story, matched).expect()

    answers = all_at_once([lambda: accept(story, matched, peer)] * MANY)

    assert answers[200] >= 1
    assert set(answers) <= {200, 409}
    query = """
        SELECT type FROM outbox WHERE aggregate_id = %s AND type = 'match.confirmed.v1'
         UNION ALL
        SELECT type FROM outbox_sent WHERE aggregate_id = %s AND type = 'match.confirmed.v1'
    """
    assert len(system.rows("matching", query, matched.match_id, matched.match_id)) == 1
    taken = story.api.get(f"/api/matching/peers/{peer.id}", by=place.coordinator).body
    assert taken["places_taken"] == 1


def test_fifty_bookings_of_one_peers_time_book_one_session(
    system: Running, new_place: NewPlace
) -> None:
    place = new_place(auto_accept=False, step_seconds=60.0)
    peer = place.add_peer(capacity=20)
    story = place.story()
    with ThreadPoolExecutor(5) as threads:
        matches = list(threads.map(lambda _: confirm(place, story, peer), range(10)))
    starts_at = story.times(matches[0].match_id)[0]["starts_at"]

    def book(match_id: str) -> Reply:
        body = {"match_id": match_id, "starts_at": starts_at, "minutes": 50}
        path = "/api/scheduling/sessions"
        return story.api.call("POST", path, by=place.coordinator, body=body)

    for one in matches:
        story.times(one.match_id)  # until scheduling knows every match
    answers = all_at_once([partial(book, one.match_id) for one in matches for _ in range(5)])

    assert answers == {201: 1, 409: MANY - 1}
    query = "SELECT count(*) AS claims FROM claims WHERE resource_id = %s"
    assert system.rows("scheduling", query, peer.id) == [{"claims": 1}]
