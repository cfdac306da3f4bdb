"""All parts of one machine's system, with their ports, passwords and settings."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from deploy.machine.backup_folder import BackupFolder
from deploy.machine.databases import prepare_databases
from deploy.machine.environment import python_environment
from deploy.machine.gateway import Gateway
from deploy.machine.ports import LOOPBACK, FreePorts, answers
from deploy.machine.postgres import PostgresServer
from deploy.machine.private_files import Secrets, make_keys
from deploy.machine.processes import Program
from deploy.machine.rabbitmq_cluster import RabbitCluster, make_cluster
from deploy.machine.run_folder import (
    MOST_REPLICAS,
    REPOSITORY,
    CannotStart,
    RunFolder,
    brokers,
    has_standby,
)
from deploy.machine.service_processes import ServiceProcesses
from deploy.machine.standby import DatabasePair, pair_of
from deploy.topology import SERVICES, read_topology

# What the pools and loops of one replica of every service may open together, with a margin.
_CONNECTIONS_PER_REPLICA = 100
_CONNECTIONS_FOR_OTHERS = 60

# From the run folder, the gateway's port and the number of replicas.
MakePlan = Callable[[RunFolder, int, int], "Plan"]


@dataclass(frozen=True)
class Plan:
    run: RunFolder
    postgres: PostgresServer
    rabbit: RabbitCluster
    gateway: Gateway
    services: ServiceProcesses
    mail_port: int
    password: Callable[[str], str]
    mail_module: str = "deploy.machine.mail_sink"
    pair: DatabasePair | None = None
    probe_port: int = 0

    def prepare_databases(self) -> None:
        prepare_databases(SERVICES, self.postgres.dsn, self.password)

    def mail_sink(self) -> Program:
        module = [sys.executable, "-m", self.mail_module]
        return Program(
            name="mail",
            command=[*module, "--port", str(self.mail_port), "--folder", self.run.mail],
            log=self.run.log("mail"),
            environment=python_environment(),
            ports={"smtp": self.mail_port},
            folder=REPOSITORY,
            grace_seconds=5.0,
        )

    def probe(self) -> Program:
        settings = {"KINDRED_RUN": str(self.run.path)}
        settings["KINDRED_INTERNAL"] = f"{LOOPBACK}:{self.probe_port}"
        return Program(
            name="probe",
            command=[sys.executable, "-m", "deploy.probe"],
            log=self.run.log("probe"),
            environment=python_environment(settings),
            ports={"internal": self.probe_port},
            live_port=self.probe_port,
            folder=REPOSITORY,
            grace_seconds=5.0,
        )

    def mail_is_ready(self) -> bool:
        return answers(self.mail_port)


def make_plan(run: RunFolder, gateway_port: int, replicas: int) -> Plan:
    secrets = Secrets(run.path / "secrets.json")
    ports = FreePorts()
    ports.given.add(gateway_port)
    make_keys(run.keys, SERVICES)
    backups = BackupFolder.of(run.backups, secrets)
    backups.create()
    passwords = {service: secrets.of(f"service {service}") for service in SERVICES}
    postgres = PostgresServer(
        folder=run.path / "postgres",
        log=run.log("postgres"),
        port=ports.take(),
        password=secrets.of("postgres"),
        max_connections=_CONNECTIONS_FOR_OTHERS + _CONNECTIONS_PER_REPLICA * replicas,
        archive=backups.log,
    )
    pair = _pair(run, postgres, ports)
    database = pair or postgres
    rabbit = make_cluster(
        run,
        nodes=brokers(),
        ports=ports,
        password=secrets.of("rabbitmq"),
        services=passwords,
        topology=read_topology(),
    )
    mail_port = ports.take()
    own_settings = {
        service: {
            "KINDRED_DATABASE": database.dsn(service, service, passwords[service]),
            "KINDRED_BROKER": rabbit.urls(service, passwords[service]),
            "KINDRED_LINK_KEY": secrets.of(f"links {service}"),
        }
        for service in SERVICES
    }
    shared_settings = {
        "KINDRED_PUBLIC_URL": f"http://{LOOPBACK}:{gateway_port}",
        "KINDRED_SMTP": f"{LOOPBACK}:{mail_port}",
        "KINDRED_JOURNAL": str(backups.journals),
    }
    services = ServiceProcesses(run, replicas, shared_settings, own_settings)
    services.choose_places(ports)
    gateway = Gateway(run.path / "gateway", run.logs, gateway_port, services.web_addresses())
    return Plan(
        run,
        pair.primary if pair else postgres,
        rabbit,
        gateway,
        services,
        mail_port,
        passwords.__getitem__,
        pair=pair,
        probe_port=ports.take(),
    )


def _pair(run: RunFolder, postgres: PostgresServer, ports: FreePorts) -> DatabasePair | None:
    """Two servers, if that is set; a standby must allow as many connections as its primary did."""
    if has_standby():
        most = _CONNECTIONS_FOR_OTHERS + _CONNECTIONS_PER_REPLICA * MOST_REPLICAS
        first = replace(postgres, max_connections=most)
        return pair_of(first, port=ports.take(), file=run.database_roles)
    if run.database_roles.exists():
        raise CannotStart(
            "The data has a standby, without which commits would wait: set KINDRED_STANDBY=1."
        )
    return None
