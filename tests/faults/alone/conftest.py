"""What the tests of single faults happen in: one broker, one database, one web, one worker."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.machine.run_folder import REPOSITORY
from tests.faults.parcel_service import Parcels
from tests.faults.post_office import PostOffice
from tests.faults.servers import Broker, Database
from tests.support import Databases, Scene

RUN = REPOSITORY / ".run" / "test-faults"


@pytest.fixture(scope="package")
def hurt_broker() -> Iterator[Broker]:
    server = Broker(RUN / "rabbitmq").start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def hurt_database() -> Iterator[Database]:
    server = Database(RUN / "postgres", max_connections=60).start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def life(hurt_broker: Broker, hurt_database: Database) -> Iterator[PostOffice]:
    """The post office through all the tests' faults, one after the other."""
    databases = Databases(hurt_database.dsn)
    made = databases.fresh("matching")
    scene = Scene(Parcels, made)
    scene.pool.close()  # only the processes' own pools shall meet the faults
    scene.settings = replace(scene.settings, broker=hurt_broker.url)
    (scene.folder / "topology.json").write_text('{"followed": {"matching": ["note"]}}')
    office = PostOffice(scene, hurt_broker.admin_url, RUN)
    try:
        office.open()
        yield office
    finally:
        office.close()
    databases.drop(made)


@pytest.fixture
def office(life: PostOffice) -> PostOffice:
    """The post office with everything at work and nothing to do."""
    life.clear()
    life.mend()
    return life
