"""What a clinic is told before it refers: places by the standard's four values, and the wait."""

from typing import Any

import pytest

from services.matching.domain.waits import LEAST
from tests.integration.browser import Browser, words_of
from tests.integration.matching.story import Story


def ask(story: Story, **query: str) -> Any:
    return story.scene.call("show_capacity", story.clinic, query=query).json


def matched(story: Story, days: int) -> None:
    """Somebody comes, and has somebody after so many days."""
    referral_id = story.refer(received_at=story.scene.now.isoformat())
    story.hear("referral.accepted.v1", referral_id)
    story.scene.pass_time(days=days)
    story.confirmed(referral_id)


def test_free_places_that_nobody_waits_for_are_capacity(story: Story) -> None:
    assert ask(story)["capacity"] == "no-capacity"
    story.add_peer(capacity=1)

    assert ask(story)["capacity"] == "capacity"
    assert ask(story, language="en-GB")["capacity"] == "capacity"
    assert ask(story, language="vi")["capacity"] == "no-capacity"


def test_where_as_many_wait_as_places_are_free_there_is_a_waiting_list(story: Story) -> None:
    story.add_peer(capacity=1)
    story.add_peer(capacity=2, languages=["es"])
    story.refer()

    assert ask(story, language="en")["capacity"] == "waitlist"
    assert ask(story, language="es")["capacity"] == "capacity"
    assert ask(story)["capacity"] == "capacity"


def test_peers_who_are_all_full_mean_a_waiting_list_and_not_that_there_are_none(
    story: Story,
) -> None:
    story.add_peer(capacity=1)
    matched(story, 0)

    assert ask(story)["capacity"] == "waitlist"


def test_for_somebody_under_age_a_coordinator_has_to_look_where_no_peer_is_cleared(
    story: Story,
) -> None:
    story.add_peer()
    assert ask(story, minor="true")["capacity"] == "additional-assessment-required"
    story.add_peer(cleared_for_minors=True)

    assert ask(story, minor="true")["capacity"] == "capacity"


@pytest.mark.parametrize("wrong", [{"language": "no language"}, {"mode": "telepathy"}])
def test_a_wrong_question_is_told(story: Story, wrong: dict[str, str]) -> None:
    assert story.scene.call("show_capacity", story.clinic, query=wrong).status == 422


def test_the_wait_is_told_once_enough_have_somebody_and_in_nobodys_name(story: Story) -> None:
    story.add_peer(capacity=100)
    for number in range(LEAST - 1):
        matched(story, 1 + number % 3)
    story.scene.run_timer("work_out_waits")
    assert ask(story)["wait"] is None

    matched(story, 3)
    story.scene.run_timer("work_out_waits")

    wait = {"measured": LEAST, "quarter": 1, "half": 2, "three_quarters": 3}
    assert ask(story)["wait"] == ask(story, language="en")["wait"] == wait
    assert ask(story, language="es")["wait"] is None
    [row, *_] = story.scene.rows("SELECT * FROM waits")
    assert set(row) == {"ended_at", "days", "languages", "is_served"}
    form = Browser(story.scene, story.clinic)
    told = words_of(form.get("/matching/fragments/capacity"))
    assert "half had somebody within 2 days" in told
    assert "English: Of people who came lately" in told


def test_who_left_while_waiting_counts_as_having_waited_and_a_second_peer_counts_not(
    story: Story,
) -> None:
    story.add_peer(capacity=5)
    story.add_peer(capacity=5)
    left = story.refer()
    story.hear("referral.withdrawn.v1", left)
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    first = story.confirmed(referral_id)
    story.act("end", first["id"], story.client, reason="another-peer")
    story.confirmed(referral_id)
    story.hear("referral.withdrawn.v1", referral_id)

    rows = story.scene.rows("SELECT is_served FROM waits ORDER BY is_served")
    assert [row["is_served"] for row in rows] == [False, True]
