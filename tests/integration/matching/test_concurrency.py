"""Many at once: no place is given twice, and the client wins."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from services.matching.domain.states import EndReason
from services.matching.handlers import rounds
from services.matching.repository.matches import Matches
from tests.integration.matching.story import Story
from tests.support import Reply, wait_for


def at_once(calls: Iterable[Callable[[], Reply]]) -> Counter[int]:
    with ThreadPoolExecutor(16) as pool:
        replies = [future.result() for future in [pool.submit(call) for call in calls]]
    return Counter(reply.status for reply in replies)


def test_of_fifty_concurrent_accepts_one_confirms(story: Story) -> None:
    peer_id = story.add_peer(capacity=1)
    offered = story.offer(story.refer()).json
    story.choose(offered["id"])
    match_id, peer = offered["match_id"], story.peer(peer_id)

    statuses = at_once([lambda: story.act("accept", match_id, peer)] * 50)

    assert statuses == {200: 1, 409: 49}
    assert story.types().count("match.confirmed.v1") == 1
    assert story.places() == {peer_id: 1}


def test_of_fifty_offers_of_the_last_place_one_holds_it(story: Story) -> None:
    peer_id = story.add_peer(capacity=1)
    referrals = [story.refer() for _ in range(50)]

    def offer(referral_id: UUID) -> Callable[[], Reply]:
        return lambda: story.offer(referral_id)

    statuses = at_once(map(offer, referrals))

    assert statuses == {201: 1, 409: 49}
    assert story.places() == {peer_id: 1}


def test_the_clients_end_wins_over_a_concurrent_acceptance(story: Story) -> None:
    peer_id = story.add_peer(capacity=20)
    for _ in range(10):
        offered = story.offer(story.refer()).json
        story.choose(offered["id"])
        match_id = offered["match_id"]

        at_once(
            [
                partial(story.act, "accept", match_id, story.peer(peer_id)),
                partial(story.act, "end", match_id, story.client),
            ]
        )

        assert story.match(match_id).json["state"] == "ended"
    assert story.places() == {peer_id: 0}


def test_clients_who_exchange_their_peers_at_once_do_not_block_each_other(story: Story) -> None:
    ana = story.add_peer(capacity=2, topics=["grief"])
    ben = story.add_peer(capacity=2, topics=["work"])
    to_ben = story.offer(story.refer(topics=["grief"])).json
    to_ana = story.offer(story.refer(topics=["work"])).json
    assert (to_ben["peer_id"], to_ana["peer_id"]) == (str(ana), str(ben))

    statuses = at_once(
        [
            lambda: story.choose(to_ben["id"], peer_id=str(ben)),
            lambda: story.choose(to_ana["id"], peer_id=str(ana)),
        ]
    )

    assert statuses == {200: 2}
    assert story.places() == {ana: 1, ben: 1}


def test_a_withdrawal_that_waited_for_a_new_round_ends_that_round_too(story: Story) -> None:
    story.add_peer(capacity=2)
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database()"
    waiting += " AND wait_event_type = 'Lock'"

    with ThreadPoolExecutor(1) as pool:
        with story.scene.work(story.clinic_id, story.peer_org) as work:
            match = Matches(work.connection).lock(UUID(offered["match_id"]))
            assert match is not None
            rounds.end(match, EndReason.ANOTHER_PEER, work)
            withdrawal = pool.submit(story.hear, "referral.withdrawn.v1", referral_id)
            wait_for(lambda: story.scene.rows(waiting))
        withdrawal.result()

    rows = story.scene.rows("SELECT round, state FROM matches ORDER BY round")
    assert rows == [{"round": 1, "state": "ended"}, {"round": 2, "state": "ended"}]


def test_one_match_that_cannot_be_taken_back_keeps_no_other_from_it(story: Story) -> None:
    story.add_peer(capacity=2)
    bad, good = story.refer(), story.refer()
    for referral_id in (bad, good):
        story.offer(referral_id)
    story.scene.rows("DELETE FROM needs WHERE referral_id = %s RETURNING 1", (bad,))

    story.scene.pass_time(days=61)
    story.scene.run_timer("expire_offers")

    rows = story.scene.rows("SELECT referral_id, state FROM matches")
    states = {row["referral_id"]: row["state"] for row in rows}
    assert states == {bad: "offered", good: "shortlisted"}
    assert story.types().count("match.offer_expired.v1") == 1
