"""Exchanges, queues and bindings as the services declare them, and applying them to a broker.

`python -m deploy.topology` writes deploy/topology.json, `--check` says whether it is fresh,
`--apply` declares on the broker of KINDRED_BROKER what is missing there.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from kombu.entity import Exchange, Queue

from deploy.generated import write_or_check
from services.chassis.broker import open_connection
from services.chassis.service import Service

SERVICES = ("referrals", "matching", "scheduling", "notifications")
FILE = Path(__file__).with_name("topology.json")

# A limit of 5 sent innocent prefetched messages to nowhere after a few abrupt disconnects.
_QUEUE_ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,
    "x-delivery-limit": 1_000_000,
}


def declared_services() -> list[type[Service]]:
    """The table of contents of every service."""
    return [_declared_in(import_module(f"services.{name}.service")) for name in SERVICES]


def _declared_in(module: ModuleType) -> type[Service]:
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Service) and value is not Service
    )


def topology_of(services: Iterable[type[Service]]) -> dict[str, Any]:
    """What the broker must have; `followed` names per producer the aggregates with a consumer."""
    services = list(services)
    bindings = sorted(
        {
            (f"{consumed.source}.events", queue, f"{consumed.aggregate}.#")
            for service in services
            for queue, all_consumed in service.queues().items()
            for consumed in all_consumed
        }
    )
    followed: dict[str, list[str]] = {service.name: [] for service in services}
    for exchange, _, routing_key in bindings:
        aggregates = followed[exchange.removesuffix(".events")]
        aggregate = routing_key.removesuffix(".#")
        if aggregate not in aggregates:
            aggregates.append(aggregate)
    return {
        "exchanges": [f"{service.name}.events" for service in services],
        "queues": dict.fromkeys(sorted({row[1] for row in bindings}), _QUEUE_ARGUMENTS),
        "bindings": [
            {"exchange": exchange, "queue": queue, "routing_key": routing_key}
            for exchange, queue, routing_key in bindings
        ],
        "followed": followed,
    }


def read_topology() -> dict[str, Any]:
    """The generated file, for those who have no need to load the services."""
    topology: dict[str, Any] = json.loads(FILE.read_text())
    return topology


def apply(amqp_urls: str, topology: Mapping[str, Any] | None = None) -> None:
    """Declare everything; what is there already stays as it is, with what it holds."""
    topology = topology or read_topology()
    with open_connection(amqp_urls, "topology") as broker:
        channel = broker.channel()
        exchanges = {
            name: Exchange(name, "topic", durable=True, channel=channel)
            for name in topology["exchanges"]
        }
        queues = {
            name: Queue(name, durable=True, queue_arguments=arguments, channel=channel)
            for name, arguments in topology["queues"].items()
        }
        for exchange in exchanges.values():
            exchange.declare()
        for queue in queues.values():
            queue.queue_declare()
        for binding in topology["bindings"]:
            exchange = exchanges[binding["exchange"]]
            queues[binding["queue"]].bind_to(exchange, binding["routing_key"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.topology", description=__doc__)
    parser.add_argument("--check", action="store_true", help="say whether the file is fresh")
    parser.add_argument("--apply", action="store_true", help="declare it on KINDRED_BROKER")
    options = parser.parse_args(arguments)
    if options.apply:
        apply(os.environ["KINDRED_BROKER"])
        return 0
    text = json.dumps(topology_of(declared_services()), indent=2) + "\n"
    return write_or_check(FILE, text, check=options.check, command="python -m deploy.topology")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
