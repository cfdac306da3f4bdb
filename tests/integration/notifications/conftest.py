"""The region that the tests of notifications happen in."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.notifications.post import Region, region_of
from tests.support import TestDatabase


@pytest.fixture
def region(database: Callable[[str], TestDatabase]) -> Iterator[Region]:
    with region_of(database("notifications")) as made:
        yield made
