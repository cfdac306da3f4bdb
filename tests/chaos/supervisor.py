"""The supervisor of a system made to be disturbed: the same parts, with proxies between them.

`python -m tests.chaos.supervisor`. Every process runs under our launcher; the broker and the mail
server, and for the last replicas the database too, are reached through proxies, whose ports stand
in wiring.json.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from deploy.machine import supervisor
from deploy.machine.plan import Plan, make_plan
from deploy.machine.ports import LOOPBACK
from deploy.machine.rabbitmq_cluster import RabbitCluster
from deploy.machine.run_folder import RunFolder, read_json
from deploy.machine.service_processes import Place, ServiceProcesses
from tests.chaos import crash_points, process

BROKER, DATABASE, MAIL = LINKS = ("broker", "database", "mail")


def wiring_file(run: RunFolder) -> Path:
    """For each link its server's port and the port of the proxy before it."""
    return run.path / "wiring.json"


def clock_file(run: RunFolder, process: str) -> Path:
    """How many seconds a process's clock is ahead."""
    return run.path / "clocks" / process


def crash_folder(run: RunFolder) -> Path:
    return run.path / "crash-points"


@dataclass(frozen=True, kw_only=True)
class DisturbedProcesses(ServiceProcesses):
    plan: Plan
    proxies: Mapping[str, int]

    def command(self, place: Place) -> list[str]:
        return [sys.executable, "-m", "tests.chaos.process", place.role, place.service]

    def settings_of(self, place: Place) -> dict[str, str]:
        name, secret = place.service, self.plan.password(place.service)
        broker = replace(self.plan.rabbit.nodes[0], port=self.proxies[BROKER])
        settings = super().settings_of(place) | {
            "KINDRED_BROKER": broker.url(name, secret),
            "KINDRED_SMTP": f"{LOOPBACK}:{self.proxies[MAIL]}",
            crash_points.FOLDER: str(crash_folder(self.run)),
            process.CLOCK: str(clock_file(self.run, place.name)),
        }
        if place.replica == self.replicas:
            database = replace(self.plan.postgres, port=self.proxies[DATABASE])
            settings["KINDRED_DATABASE"] = database.dsn(name, name, secret)
        return settings


def plan_disturbed(run: RunFolder, gateway_port: int, replicas: int) -> Plan:
    """The usual plan, with servers on the ports that the proxies know."""
    wiring = read_json(wiring_file(run))
    proxies = {link: wiring[link]["proxy"] for link in LINKS}
    usual = make_plan(run, gateway_port, replicas)
    moved = replace(
        usual,
        postgres=replace(usual.postgres, port=wiring[DATABASE]["server"]),
        rabbit=RabbitCluster([replace(usual.rabbit.nodes[0], port=wiring[BROKER]["server"])]),
        mail_port=wiring[MAIL]["server"],
        mail_module="tests.chaos.mail_server",
    )
    settings = {
        name: {**own, "KINDRED_DATABASE": moved.postgres.dsn(name, name, moved.password(name))}
        for name, own in usual.services.own_settings.items()
    }
    kept = {field.name: getattr(usual.services, field.name) for field in fields(usual.services)}
    services = DisturbedProcesses(**kept | {"own_settings": settings}, plan=moved, proxies=proxies)
    return replace(moved, services=services)


if __name__ == "__main__":
    sys.exit(supervisor.main(plan_disturbed))
