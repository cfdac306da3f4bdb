"""Starts what is bare beside a measured system: on its servers, behind a gateway like its own."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from deploy.machine.environment import python_environment
from deploy.machine.gateway import Gateway
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts, answers
from deploy.machine.processes import Program, stop_together
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST
from deploy.machine.run_folder import REPOSITORY
from tests.acceptance.running import eventually
from tests.benchmarks.bare import floor
from tests.benchmarks.measured import Measured

_START_SECONDS = 60


def database(system: Measured, name: str, tables: str) -> str:
    """A new database on the system's own server; its DSN."""
    server = f"{LOOPBACK}:{system.port('postgres', 'postgresql')}"
    place = f"postgresql://postgres:{system.secret('postgres')}@{server}"
    with psycopg.connect(f"{place}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with psycopg.connect(f"{place}/{name}", autocommit=True) as connection:
        connection.execute(tables.encode())
    return f"{place}/{name}"


@contextmanager
def running(
    system: Measured,
    commands: Mapping[str, Sequence[str]],
    upstreams: Mapping[str, int],
    **environment: str,
) -> Iterator[str]:
    """Python modules as processes, and the gateway in front of their ports; its address."""
    folder = system.run_folder / "bare"
    folder.mkdir(exist_ok=True)
    port = FreePorts().take()
    web = {service: [f"{LOOPBACK}:{web_port}"] for service, web_port in upstreams.items()}
    gateway = Gateway(folder / "gateway", system.log_folder, port, web)
    gateway.prepare()
    programs = [_program(system, *one, **environment) for one in commands.items()]
    ledger = Ledger(folder / "processes.json")
    processes = [ledger.start(program) for program in (*programs, gateway.program())]
    try:
        for one in (*upstreams.values(), port):
            eventually(partial(answers, one), "the bare side", seconds=_START_SECONDS)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        stop_together(processes)
        ledger.forget_all()


def _program(system: Measured, name: str, command: Sequence[str], **environment: str) -> Program:
    return Program(
        name=f"bare {name}",
        command=[sys.executable, "-W", "ignore", "-m", *command],
        log=system.log_folder / f"bare-{name}.log",
        environment=python_environment(environment),
        folder=REPOSITORY,
        grace_seconds=1.0,
    )


@contextmanager
def floor_beside(system: Measured) -> Iterator[tuple[str, str]]:
    """The bare chain; its gateway's address, and the DSN of what it makes readable."""
    with system.broker() as channel:
        channel.exchange_declare(floor.EXCHANGE, "topic", durable=True, auto_delete=False)
        quorum = {"x-queue-type": "quorum", "x-single-active-consumer": True}
        channel.queue_declare(floor.QUEUE, durable=True, auto_delete=False, arguments=quorum)
        channel.queue_bind(floor.QUEUE, floor.EXCHANGE, "referral.#")
    ports = FreePorts()
    told: dict[str, Any] = {
        "taker": database(system, "floor_taker", floor.TAKER_TABLES),
        "follower": database(system, "floor_follower", floor.FOLLOWER_TABLES),
        "taker_port": ports.take(),
        "shower_port": ports.take(),
        "broker": {
            "host": f"{LOOPBACK}:{system.port('rabbitmq', 'amqp')}",
            "userid": ADMIN,
            "password": system.secret("rabbitmq"),
            "virtual_host": VHOST,
        },
    }
    commands = {
        role: ["tests.benchmarks.bare.floor", role]
        for role in ("taker", "shower", "relay", "follower")
    }
    upstreams = {"referrals": told["taker_port"], "matching": told["shower_port"]}
    with running(system, commands, upstreams, FLOOR=json.dumps(told)) as url:
        yield url, told["follower"]
