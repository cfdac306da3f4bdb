"""Working as a service from outside its processes: its database, its key, whom it may ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.machine.private_files import key_file, key_set_file, pack_key_set_file
from deploy.machine.running_system import RunningSystem
from deploy.topology import FILE, SERVICES, declared_services
from services.chassis.database import Database
from services.chassis.http.keys import kid_of
from services.chassis.internal import Directory
from services.chassis.settings import Settings
from services.chassis.work import Workplace


def own_dsn(system: RunningSystem, service: str, database: str | None = None) -> str:
    """The running server's address of a database, as the service's own role."""
    return system.database_dsn(database or service, service, system.secret(f"service {service}"))


@contextmanager
def as_service(
    system: RunningSystem, service: str, dsn: str
) -> Iterator[tuple[Workplace, Directory]]:
    settings = _settings(system, service, dsn)
    declared = next(one for one in declared_services() if one.name == service)
    database = Database(dsn, name=f"{service}.operator", pool_size=2)
    database.open()
    try:
        yield Workplace(declared, database, settings), Directory.from_settings(settings)
    finally:
        database.close()


def _settings(system: RunningSystem, service: str, dsn: str) -> Settings:
    """A service's own settings, as far as handling and asking others goes."""
    owners = ";".join(
        f"{owner}={','.join(addresses)}"
        for owner in SERVICES
        if (addresses := system.addresses(owner, "web", "internal"))
    )
    return Settings.from_environment(
        {
            "KINDRED_DATABASE": dsn,
            "KINDRED_BROKER": "amqp://unused",
            "KINDRED_TOKEN_KEYS": str(key_set_file(system.run.keys)),
            "KINDRED_PACK_KEYS": str(pack_key_set_file(system.run.keys)),
            "KINDRED_SERVICE_KEY": str(key_file(system.run.keys, kid_of(service))),
            "KINDRED_LINK_KEY": system.secret(f"links {service}"),
            "KINDRED_OWNERS": owners,
            "KINDRED_TOPOLOGY": str(FILE),
        }
    )
