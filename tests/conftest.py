"""Real servers: a private PostgreSQL and RabbitMQ a session, a fresh database a test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.machine.postgres import PrivatePostgres
from deploy.machine.rabbitmq import PrivateRabbit
from tests.support import Databases, TestDatabase

ROOT = Path(__file__).resolve().parent.parent
RUN = Path(os.environ.get("KINDRED_TEST_RUN", ROOT / ".run" / "test-servers"))


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
    server = PrivateRabbit(RUN / "rabbitmq").start()
    yield server.url
    server.stop()
