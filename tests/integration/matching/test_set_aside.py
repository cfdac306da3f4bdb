"""What matching set aside for good, as the staff it concerns sees it and has it tried again."""

from uuid import uuid4

import pytest

from tests import support
from tests.integration.browser import Browser, words_of
from tests.integration.matching.story import Story
from tests.integration.matching.test_story import taken_over

PART, FORM = "/matching/fragments/set-aside", "/matching/set-aside"


@pytest.fixture
def number(story: Story) -> str:
    """A pair whose peer nobody knows."""
    taken_over(story, uuid4())
    (row,) = story.scene.rows("SELECT id FROM deferred WHERE state = 'parked'")
    return str(row["id"])


@pytest.fixture
def coordinator(story: Story) -> Browser:
    return Browser(story.scene, story.coordinator)


def state_of(story: Story, number: str) -> str:
    (row,) = story.scene.rows("SELECT state FROM deferred WHERE id = %s", (int(number),))
    return str(row["state"])


def test_it_is_said_in_words_what_was_set_aside_of_whom_and_why(
    story: Story, coordinator: Browser, number: str
) -> None:
    part = words_of(coordinator.get(PART))

    assert "About a referral · North Clinic" in part
    assert "It does not fit what is known here." in part
    assert "refused: unknown-peer" in part


def test_the_staff_it_concerns_has_it_tried_again(
    story: Story, coordinator: Browser, number: str
) -> None:
    sent = coordinator.post(FORM, {**coordinator.form(PART), "number": number})

    assert (sent.status, sent.headers["Location"]) == (303, "/notifications/set-aside")
    assert state_of(story, number) == "waiting"
    assert "Nothing is set aside here." in words_of(coordinator.get(PART))
    decided = story.scene.rows("SELECT decided_by FROM deferred")
    assert decided == [{"decided_by": story.coordinator.subject}]


@pytest.mark.parametrize("typed", ["own", "none", "9" * 30, "¼"])
def test_whom_it_does_not_concern_sees_nothing_of_it_and_changes_nothing(
    story: Story, number: str, typed: str
) -> None:
    other = Browser(story.scene, support.coordinator(uuid4(), uuid4()))

    part = words_of(other.get(PART))
    form = {**other.form("/matching/waiting"), "number": number if typed == "own" else typed}
    sent = other.post(FORM, form)

    assert "Nothing is set aside here." in part
    assert sent.status == 303
    assert state_of(story, number) == "parked"


def test_what_names_no_organisation_is_left_to_the_operator(
    story: Story, coordinator: Browser
) -> None:
    story.scene.receive("referral.submitted.v1", {"referral_id": 5}, subject=uuid4())
    assert story.scene.rows("SELECT FROM deferred WHERE state = 'parked'")

    assert "Nothing is set aside here." in words_of(coordinator.get(PART))
