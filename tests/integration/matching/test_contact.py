"""Two who are matched and do not meet: a plan to reach out begins once, until a contact."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.matching.story import Story


@pytest.fixture
def match(story: Story) -> dict[str, Any]:
    story.add_peer()
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    return story.confirmed(referral_id)


def weeks(story: Story, number: int) -> None:
    story.scene.pass_time(days=7 * number)
    story.scene.run_timer("note_quiet")


def quiet(story: Story) -> int:
    return story.types().count("match.quiet.v1")


def logged(story: Story, match: dict[str, Any], *, people: int = 1) -> None:
    contact_id = uuid4()
    facts = {
        "contact_id": contact_id,
        "match_ids": [match["id"]],
        "started_at": story.scene.now.isoformat(),
        "people": people,
    }
    story.scene.receive(
        "contact.logged.v1",
        facts,
        subject=contact_id,
        org=UUID(match["peer_organisation_id"]),
        clinicorg=story.clinic_id,
    )


def session_held(story: Story, match: dict[str, Any]) -> None:
    session_id = uuid4()
    facts = {
        "session_id": session_id,
        "match_id": match["id"],
        "outcome": "held",
        "starts_at": story.scene.now.isoformat(),
    }
    story.scene.receive(
        "session.outcome_recorded.v1",
        facts,
        subject=session_id,
        org=UUID(match["peer_organisation_id"]),
        clinicorg=story.clinic_id,
    )


def test_three_weeks_without_contact_are_told_once(story: Story, match: dict[str, Any]) -> None:
    weeks(story, 2)
    assert quiet(story) == 0

    weeks(story, 2)
    weeks(story, 4)

    assert quiet(story) == 1


def test_a_contact_ends_it_and_it_can_grow_quiet_again(story: Story, match: dict[str, Any]) -> None:
    weeks(story, 4)

    logged(story, match)

    assert story.types().count("match.in_touch.v1") == 1
    weeks(story, 2)
    assert quiet(story) == 1
    weeks(story, 2)
    assert quiet(story) == 2


def test_having_tried_in_vain_is_no_contact(story: Story, match: dict[str, Any]) -> None:
    weeks(story, 4)

    logged(story, match, people=0)

    assert "match.in_touch.v1" not in story.types()


def test_a_session_held_is_a_contact(story: Story, match: dict[str, Any]) -> None:
    story.scene.pass_time(days=14)
    session_held(story, match)

    weeks(story, 2)

    assert quiet(story) == 0


def test_a_pause_and_a_time_away_are_no_silence(story: Story, match: dict[str, Any]) -> None:
    story.hear("referral.paused.v1", UUID(match["referral_id"]), until=None)
    weeks(story, 8)
    assert quiet(story) == 0

    story.hear("referral.resumed.v1", UUID(match["referral_id"]))
    weeks(story, 0)

    assert quiet(story) == 1


def test_those_who_have_parted_are_left_alone(story: Story, match: dict[str, Any]) -> None:
    story.act("end", match["id"], story.client, reason="goals-reached")

    weeks(story, 8)

    assert quiet(story) == 0
