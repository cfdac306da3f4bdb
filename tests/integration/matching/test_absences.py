"""Peers' time away: nobody new meanwhile, and another peer for whoever wants one."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.integration.matching.story import Story
from tests.integration.matching.test_known_peers import suitable


def leave(
    story: Story, peer_id: UUID, *, in_days: int, lasting: int, type_: str = "planned", **more: Any
) -> UUID:
    starts_at = story.scene.now + timedelta(days=in_days)
    leave_id: UUID = more.pop("leave_id", None) or uuid4()
    facts = {
        "leave_id": leave_id,
        "peer_id": peer_id,
        "peer_organisation_id": story.peer_org,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(days=lasting)).isoformat(),
        "time_zone": "America/Chicago",
    }
    story.scene.receive(
        f"leave.{type_}.v1", facts, subject=leave_id, org=story.peer_org, clinicorg=None
    )
    return leave_id


def answered(story: Story, match: dict[str, Any], wish: str) -> None:
    leave_id = uuid4()
    facts = {
        "leave_id": leave_id,
        "match_id": match["id"],
        "referral_id": match["referral_id"],
        "wish": wish,
    }
    story.scene.receive(
        "leave.answered.v1", facts, subject=leave_id, org=story.peer_org, clinicorg=story.clinic_id
    )


def test_nobody_new_is_matched_with_whoever_is_away_for_long_until_they_are_back(
    story: Story,
) -> None:
    away, there = story.add_peer(), story.add_peer()

    leave(story, away, in_days=5, lasting=14)

    assert suitable(story) == {there}
    story.scene.pass_time(days=20)
    story.scene.run_timer("mark_absences")
    assert suitable(story) == {away, there}


def test_a_short_or_a_distant_absence_passes_nobody_over(story: Story) -> None:
    short, distant = story.add_peer(), story.add_peer()

    leave(story, short, in_days=0, lasting=3)
    leave(story, distant, in_days=30, lasting=14)

    assert suitable(story) == {short, distant}
    story.scene.pass_time(days=24)
    story.scene.run_timer("mark_absences")
    assert suitable(story) == {short}


def test_an_absence_that_is_taken_back_counts_no_more(story: Story) -> None:
    peer_id = story.add_peer()
    leave_id = leave(story, peer_id, in_days=1, lasting=14)
    assert suitable(story) == set()

    leave(story, peer_id, in_days=1, lasting=14, type_="withdrawn", leave_id=leave_id)

    assert suitable(story) == {peer_id}


def test_the_waiting_are_ranked_again_when_a_peer_is_back(story: Story) -> None:
    peer_id = story.add_peer()
    leave(story, peer_id, in_days=0, lasting=10)
    referral_id = story.refer()
    assert story.shortlist(referral_id).json["candidates"] == []

    story.scene.pass_time(days=11)
    story.scene.run_timer("mark_absences")
    story.scene.pass_time(minutes=1)
    story.scene.run_timer("rank_the_waiting")

    found = story.shortlist(referral_id).json["candidates"]
    assert [one["peer_id"] for one in found] == [str(peer_id)]


def test_whoever_wants_another_peer_waits_again_and_may_come_back_to_this_one(
    story: Story,
) -> None:
    story.add_peer()
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    match = story.confirmed(referral_id)

    answered(story, match, "wait")
    answered(story, match, "cover")
    assert story.match(match["id"]).json["state"] == "confirmed"
    answered(story, match, "change")

    ended = story.match(match["id"]).json
    assert (ended["state"], ended["end_reason"]) == ("ended", "peer-unavailable")
    assert "match.ended.v1" in story.types()
