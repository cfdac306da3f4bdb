"""Proposals for all who wait together: kept with their proof, checked without the solver."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.region.forms import forms_of
from services.matching import solver
from services.matching.domain.assignment import Certificate
from services.matching.handlers import proposing
from services.matching.handlers.proposing import Input, NotThere, Proposal
from tests import support
from tests.integration.browser import Browser, words_of
from tests.integration.matching.story import Story


def propose(story: Story) -> Proposal:
    return proposing.propose(story.scene.workplace.begin, lambda _: None)


def verify(story: Story, proposal: Proposal) -> tuple[Certificate, tuple[str, ...]]:
    with story.scene.work() as work:
        return proposing.verify(proposal.id, work)


def proposed(story: Story, proposal: Proposal) -> dict[UUID, UUID | None]:
    """By referral, the peer."""
    query = """
        SELECT referral_id, proposed_pairs.peer_id
          FROM proposed_pairs
          JOIN matches ON matches.id = match_id
         WHERE proposal_id = %s
    """
    rows = story.scene.rows(query, (proposal.id,))
    return {row["referral_id"]: row["peer_id"] for row in rows}


def test_somebody_with_one_possible_peer_gets_that_place_and_the_other_theirs(
    story: Story,
) -> None:
    """First come, first served would give the English-speaking one the only Spanish speaker."""
    both = story.add_peer(languages=["en", "es"], topics=["grief", "work"], capacity=1)
    english = story.add_peer(languages=["en"], topics=[], capacity=1)
    first = story.refer(languages=["en"], received_at="2026-11-01T15:00:00Z")
    second = story.refer(languages=["es"], received_at="2026-11-08T15:00:00Z")

    made = propose(story)

    assert proposed(story, made) == {first: english, second: both}
    assert (made.certificate.served, made.certificate.gap, made.is_best) == (2, 0, True)
    certificate, problems = verify(story, made)
    assert (certificate, problems) == (made.certificate, ())


def test_whoever_was_told_is_not_moved_and_whoever_cannot_be_offered_anybody_is_left_out(
    story: Story,
) -> None:
    told_of, free = story.add_peer(capacity=1), story.add_peer(capacity=1)
    told = story.refer()
    story.offer(told)
    held = UUID(story.shortlist(told).json["peer_id"])
    waiting = story.refer()
    paused = story.refer()
    story.hear("referral.paused.v1", paused)
    story.refer(accepted=False)

    made = propose(story)

    assert proposed(story, made) == {waiting: told_of if held == free else free}
    assert story.places()[held] == 1


def test_longer_waiting_and_more_urgent_people_come_first_when_places_are_few(
    story: Story,
) -> None:
    story.add_peer(capacity=2)
    urgent = story.refer(urgency="urgent", received_at="2026-11-20T15:00:00Z")
    long_ago = story.refer(received_at="2025-01-01T15:00:00Z")
    later = story.refer(received_at="2026-11-19T15:00:00Z")

    found = proposed(story, propose(story))

    assert found[later] is None
    assert found[urgent] is not None
    assert found[long_ago] is not None


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE proposals SET value = value + 1",
        "UPDATE proposals SET served = 2",
        "UPDATE proposed_pairs SET (peer_id, points, peer_organisation_id) = (NULL, NULL, NULL)",
        "UPDATE proposal_prices SET price = price - 1",
        "DELETE FROM proposal_prices",
        "DELETE FROM proposed_pairs",
        "UPDATE proposed_pairs SET match_id = gen_random_uuid()",
    ],
)
def test_a_proposal_that_was_tampered_with_does_not_hold(story: Story, tamper: str) -> None:
    story.add_peer(capacity=1)
    story.refer()
    made = propose(story)
    assert verify(story, made)[1] == ()

    story.scene.rows(f"{tamper} RETURNING 1")

    assert verify(story, made)[1]


def test_an_input_that_was_tampered_with_is_noticed(story: Story) -> None:
    story.add_peer()
    story.refer()
    made = propose(story)
    (row,) = story.scene.rows("SELECT content AS input FROM proposal_inputs")
    given = Input.unpacked(bytes(row["input"]))
    assert given.packed() == bytes(row["input"])  # the same people and peers, the same bytes
    other = Input(given.policy, given.people, [])

    story.scene.rows("UPDATE proposal_inputs SET content = %s RETURNING 1", (other.packed(),))

    assert "what it was made from is not what it says" in verify(story, made)[1]


def test_what_is_known_of_somebody_no_longer_looked_for_is_removed(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    made = propose(story)

    story.hear("referral.withdrawn.v1", referral_id)
    story.scene.run_timer("forget_old_proposals")

    with pytest.raises(NotThere, match="no longer looked for"):
        verify(story, made)


def test_a_proposal_is_forgotten_after_a_week(story: Story) -> None:
    story.add_peer()
    story.refer()
    made = propose(story)

    story.scene.pass_time(days=7, seconds=1)
    story.scene.run_timer("forget_old_proposals")

    with pytest.raises(NotThere, match="no such proposal"):
        verify(story, made)
    assert (
        story.scene.rows("SELECT FROM proposed_pairs UNION ALL SELECT FROM proposal_prices") == []
    )


def test_without_a_solver_there_is_a_proposal_and_no_claim_that_it_is_the_best(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.add_peer(capacity=1)
    story.refer()
    monkeypatch.setattr(solver, "is_there", lambda: False)

    made = propose(story)

    assert (made.certificate.served, made.is_best) == (1, False)
    assert verify(story, made)[1] == ()


def test_where_nobody_waits_or_nobody_is_there_a_proposal_says_so(story: Story) -> None:
    empty = propose(story)
    story.refer()
    no_peers = propose(story)

    assert (empty.people, empty.certificate.served) == (0, 0)
    assert (no_peers.people, no_peers.certificate.served) == (1, 0)
    assert verify(story, no_peers)[1] == ()


def test_nothing_that_is_kept_names_anybody(story: Story) -> None:
    story.add_peer(display_name="Ana", email="ana@peers.example")
    story.refer()
    propose(story)

    (row,) = story.scene.rows("SELECT content AS input FROM proposal_inputs")
    given: Any = Input.unpacked(bytes(row["input"]))
    assert "Ana" not in str(given)
    assert "ana@" not in str(given)


def test_a_coordinator_sees_the_pairs_of_their_own_clinics_that_are_still_open(
    story: Story,
) -> None:
    page = "/matching/proposals"
    coordinator = Browser(story.scene, story.coordinator)
    assert "None was made lately." in words_of(coordinator.get(page))
    story.add_peer(display_name="Ana", capacity=1)
    story.add_peer(display_name="Ben", capacity=1, topics=[])
    referrals = [story.refer(), story.refer()]
    propose(story)

    shown = coordinator.get(page)

    assert set(re.findall(r'href="/matching/referrals/([\w-]+)"', shown.text)) == {
        str(one) for one in referrals
    }
    told = words_of(shown)
    assert "Ana first" in told
    assert "Ben number 2: the places before it go to others" in told
    assert "this can be checked by adding up" in told
    stranger = Browser(story.scene, support.coordinator(uuid4(), story.peer_org))
    assert "None was made lately." in words_of(stranger.get(page))
    for referral_id in referrals:
        story.hear("referral.withdrawn.v1", referral_id)
    assert "Nobody of yours is in it" in words_of(coordinator.get(page))


def test_a_proposed_pair_is_offered_from_the_page_also_from_beyond_the_shortlist(
    story: Story,
) -> None:
    """Eleven people, who all like the same ten full-hearted peers, and one who is left."""
    for number in range(10):
        story.add_peer(display_name=f"Peer {number}", topics=["grief", "work"], capacity=1)
    last = story.add_peer(display_name="Zoe", topics=[], capacity=1)
    referrals = [story.refer(received_at="2026-11-01T15:00:00Z") for _ in range(11)]
    made = propose(story)
    (chosen,) = [one for one, peer in proposed(story, made).items() if peer == last]
    assert set(proposed(story, made)) == set(referrals)
    assert str(last) not in str(story.shortlist(chosen).json["candidates"])
    coordinator = Browser(story.scene, story.coordinator)
    forms = [one.fields for one in forms_of(coordinator.get("/matching/proposals").text)]
    (form,) = [one for one in forms if one.get("peer_id") == str(last)]

    sent = coordinator.post(f"/matching/referrals/{chosen}", {**form, "act": "offer"})

    assert sent.status == 303, words_of(sent)
    assert story.shortlist(chosen).json["peer_id"] == str(last)
    assert story.places()[last] == 1
    other = next(one for one in referrals if one != chosen)
    refused = story.offer(other, peer_id=str(last), reason="they asked")
    assert refused.status == 422, refused.text
