"""Ask producers for events that never came, at once and for every service of the running system."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from deploy.machine.private_files import key_file, key_set_file
from deploy.machine.running_system import RunningSystem
from deploy.topology import FILE, SERVICES, declared_services
from services.chassis.database import Database
from services.chassis.http.keys import kid_of
from services.chassis.internal import Directory
from services.chassis.reconcile import heal
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.chassis.work import Workplace


@dataclass(frozen=True)
class Gap:
    """Numbers of one aggregate's events that a consumer lacks; None sent: the producer is away."""

    queue: str
    aggregate_id: UUID
    first: int
    last: int
    sent_again: int | None


def reconcile(system: RunningSystem) -> Iterator[Gap]:
    for service in declared_services():
        yield from _reconcile(system, service)


def _reconcile(system: RunningSystem, service: type[Service]) -> Iterator[Gap]:
    settings = _settings(system, service.name)
    database = Database(settings.database, name=f"{service.name}.reconcile", pool_size=1)
    database.open()
    try:
        workplace = Workplace(service, database, settings)
        directory = Directory.from_settings(settings)
        for gap in heal(workplace, directory, list(service.queues()), patience=timedelta(0)):
            aggregate_id, first, last = gap["aggregate_id"], gap["first"], gap["last"]
            yield Gap(gap["consumer"], aggregate_id, first, last, gap["sent_again"])
    finally:
        database.close()


def _settings(system: RunningSystem, service: str) -> Settings:
    """A service's own settings, as far as asking others goes."""
    secret = system.secret(f"service {service}")
    owners = ";".join(
        f"{owner}={','.join(system.addresses(owner, 'web', 'internal'))}" for owner in SERVICES
    )
    return Settings.from_environment(
        {
            "KINDRED_DATABASE": system.database_dsn(service, service, secret),
            "KINDRED_BROKER": "amqp://unused",
            "KINDRED_TOKEN_KEYS": str(key_set_file(system.run.keys)),
            "KINDRED_SERVICE_KEY": str(key_file(system.run.keys, kid_of(service))),
            "KINDRED_LINK_KEY": system.secret(f"links {service}"),
            "KINDRED_OWNERS": owners,
            "KINDRED_TOPOLOGY": str(FILE),
        }
    )
