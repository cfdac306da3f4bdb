"""A story of its own for every test."""

from collections.abc import Callable, Iterator

import pytest

from services.matching.service import Matching
from tests.integration.matching.story import Story
from tests.support import Scene, TestDatabase


@pytest.fixture
def story(database: Callable[[str], TestDatabase]) -> Iterator[Story]:
    scene = Scene(Matching, database("matching"))
    story = Story(scene)
    yield story
    assert story.places() == story.held_places()
    scene.close()
