"""Real servers: a private PostgreSQL and RabbitMQ a process, a fresh database a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from deploy.machine.postgres import PrivatePostgres
from deploy.machine.rabbitmq import PrivateRabbit
from tests.support import Databases, TestDatabase

ROOT = Path(__file__).resolve().parent.parent
RUN = Path(os.environ.get("KINDRED_TEST_RUN", ROOT / ".run" / "test-servers")) / os.environ.get(
    "PYTEST_XDIST_WORKER", "alone"
)
# What takes longest begins first. Each of these folders shares one running system.
LONGEST = ("tests/faults/alone", "tests/acceptance", "tests/faults/redundancy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """With several processes, tests that share a system run in one of them, in their order."""
    return _SharedSystems(config, log)


class _SharedSystems(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.rpartition("/")[0]
        return folder if folder in LONGEST else path


def _rank(item: pytest.Item) -> int:
    path = item.nodeid.partition("::")[0]
    found = [number for number, folder in enumerate(LONGEST) if path.startswith(f"{folder}/")]
    return found[0] if found else len(LONGEST) + (not path.startswith("tests/faults/"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """An administrator's DSN; KINDRED_TEST_DATABASE names a server that is already there."""
    given = os.environ.get("KINDRED_TEST_DATABASE")
    if given:
        yield given
        return
    server = PrivatePostgres(RUN / "postgres").start()
    yield server.dsn
    server.stop()


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases) -> Iterator["_Factory"]:
    """A function that gives a fresh, migrated database of a service."""
    factory = _Factory(databases)
    yield factory
    factory.drop_all()


class _Factory:
    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.made: list[TestDatabase] = []

    def __call__(self, service: str) -> TestDatabase:
        self.made.append(self.databases.fresh(service))
        return self.made[-1]

    def drop_all(self) -> None:
        for made in self.made:
            self.databases.drop(made)


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """An administrator's AMQP URL; KINDRED_TEST_BROKER names a server that is already there."""
    given = os.environ.get("KINDRED_TEST_BROKER")
    if given:
        yield given
        return
    server = PrivateRabbit(RUN / "rabbitmq").discard().start()
    yield server.url
    server.stop()
