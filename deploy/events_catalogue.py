"""Which events there are and who follows them, gathered from the services' declarations."""

from collections.abc import Sequence
from dataclasses import dataclass

from marshmallow import Schema

from deploy.topology import SERVICES, declared_services
from services.chassis.events import Event
from services.chassis.service import Consumed, Service


@dataclass(frozen=True)
class Published:
    """One type of event, by its producer's own words."""

    name: str
    producer: str
    subject: str
    meaning: str
    event: type[Event]
    schema: type[Schema]
    consumers: tuple[str, ...]
    queues: tuple[str, ...]

    @property
    def aggregate(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def exchange(self) -> str:
        return f"{self.producer}.events"


@dataclass(frozen=True)
class Queue:
    """One consumer's queue for one aggregate, and what it handles from there."""

    name: str
    consumer: str
    exchange: str
    binding: str
    handled: tuple[str, ...]


def catalogue() -> list[Published]:
    """Every published event, by producer and type."""
    services = declared_services()
    found = [
        Published(
            name=event.type,
            producer=service.name,
            subject=event.subject,
            meaning=_meaning(event),
            event=event,
            schema=schema,
            consumers=_consumers(services, event.type),
            queues=_followers(services, service.name, event.type),
        )
        for service in services
        for event, schema in _published(service)
    ]
    return sorted(found, key=lambda event: (SERVICES.index(event.producer), event.name))


def _published(service: type[Service]) -> list[tuple[type[Event], type[Schema]]]:
    return list(service.publishes.items())


def _meaning(event: type[Event]) -> str:
    """The class's own docstring; a dataclass without one describes its constructor instead."""
    text = " ".join((event.__doc__ or "").split())
    return "" if text.startswith(f"{event.__name__}(") else text


def _consumers(services: Sequence[type[Service]], type_name: str) -> tuple[str, ...]:
    return tuple(
        service.name
        for service in services
        if any(consumed.type == type_name for consumed in service.declared(Consumed))
    )


def _followers(services: Sequence[type[Service]], producer: str, type_name: str) -> tuple[str, ...]:
    aggregate = type_name.split(".", 1)[0]
    return tuple(
        name
        for service in services
        for name, handled in service.queues().items()
        if handled[0].source == producer and handled[0].aggregate == aggregate
    )


def queues() -> list[Queue]:
    """Every queue, by name."""
    found = [
        Queue(
            name=name,
            consumer=service.name,
            exchange=f"{handled[0].source}.events",
            binding=f"{handled[0].aggregate}.#",
            handled=tuple(sorted(consumed.type for consumed in handled)),
        )
        for service in declared_services()
        for name, handled in service.queues().items()
    ]
    return sorted(found, key=lambda queue: queue.name)
