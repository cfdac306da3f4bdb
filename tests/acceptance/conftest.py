"""One running system for all acceptance tests, with the demo region loaded."""

import string
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from deploy import region
from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.region.api import Api
from deploy.region.mailbox import Mailbox
from tests.acceptance.chrome import Chrome, chrome
from tests.acceptance.clients import PatientApi, Place
from tests.acceptance.running import Running

NewPlace = Callable[..., Place]

# ISO 639 keeps qaa to qtz for local use: nobody in the demo region speaks them.
_LANGUAGES = (
    f"q{second}{third}" for second, third in product("abcdefghijklmnopqrst", string.ascii_lowercase)
)


@pytest.fixture(scope="package")
def system() -> Iterator[Running]:
    running = Running(RunFolder(REPOSITORY / ".run" / "test"))
    running.clean()
    try:
        running.up()
        region.load(running)
        yield running
    finally:
        running.down()


@pytest.fixture(scope="package")
def browser(system: Running) -> Iterator[Chrome]:
    with chrome(system) as started:
        yield started


@pytest.fixture(scope="package")
def api(system: Running) -> Api:
    return Api(system)


@pytest.fixture(scope="package")
def patient_api(system: Running) -> PatientApi:
    return PatientApi(system)


@pytest.fixture(scope="package")
def mailbox(system: Running) -> Mailbox:
    return Mailbox(system.mail_folder)


@pytest.fixture(scope="package")
def new_place(api: Api, mailbox: Mailbox) -> NewPlace:
    """Opens a clinic and a peer organisation that no other test knows."""

    def open_place(of: Api = api, *, step_seconds: float = 20.0, **clinic: Any) -> Place:
        place = Place(of, mailbox, next(_LANGUAGES), step_seconds=step_seconds)
        return place.open(**clinic)

    return open_place


@pytest.fixture
def place(new_place: NewPlace) -> Place:
    return new_place()
