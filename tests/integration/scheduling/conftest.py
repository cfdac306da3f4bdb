"""A region for each test, on a database of its own."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.scheduling.region import Region
from tests.support import TestDatabase


@pytest.fixture
def region(database: Callable[[str], TestDatabase]) -> Iterator[Region]:
    made = Region(database("scheduling"))
    yield made
    made.close()
