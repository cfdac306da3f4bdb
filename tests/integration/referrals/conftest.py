"""A referrals service on a fresh database, with one clinic and whoever works with it."""

from collections.abc import Callable, Iterator

import pytest

from services.referrals.service import Referrals
from tests.integration.referrals.people import CLINIC, Desk
from tests.support import Scene, TestDatabase


@pytest.fixture
def desk(database: Callable[[str], TestDatabase]) -> Iterator[Desk]:
    scene = Scene(Referrals, database("referrals"))
    desk = Desk(scene)
    desk.register(CLINIC)
    yield desk
    scene.close()
