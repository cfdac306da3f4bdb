"""The services' own processes: a web and a worker per service and replica, with their settings."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import urllib3

from deploy.machine.environment import python_environment
from deploy.machine.gateway import PAGE_SETTINGS
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.private_files import key_file, key_set_file, pack_key_set_file
from deploy.machine.processes import Program
from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.topology import FILE as TOPOLOGY
from deploy.topology import SERVICES
from services.chassis.http.keys import kid_of

_PORTS = {"web": ("http", "internal"), "worker": ("internal",)}
TOKEN_ISSUER = "kindred"  # noqa: S105  a name, not a secret


@dataclass(frozen=True)
class Place:
    """One process of a service, and its ports: a web has `http`, each has `internal`."""

    service: str
    role: str
    replica: int
    ports: Mapping[str, int]

    @property
    def name(self) -> str:
        return f"{self.service}.{self.role}.{self.replica}"

    def is_ready(self) -> bool:
        if self.role == "web":
            address = f"{LOOPBACK}:{self.ports['http']}/health/{self.service}/ready"
        else:
            address = f"{LOOPBACK}:{self.ports['internal']}/health/ready"
        try:
            answer = urllib3.request("GET", f"http://{address}", timeout=2, retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status == 200


@dataclass(frozen=True)
class ServiceProcesses:
    """Every place, and what its process is told."""

    run: RunFolder
    replicas: int
    settings: Mapping[str, str]  # the same for all
    own_settings: Mapping[str, Mapping[str, str]]  # by service
    places: list[Place] = field(default_factory=list)

    def choose_places(self, ports: FreePorts) -> None:
        for service in SERVICES:
            for role, kinds in _PORTS.items():
                for replica in range(1, self.replicas + 1):
                    taken = {kind: ports.take() for kind in kinds}
                    self.places.append(Place(service, role, replica, taken))

    def web_addresses(self) -> dict[str, list[str]]:
        return {service: self._addresses(service, "http") for service in SERVICES}

    def program(self, place: Place) -> Program:
        return Program(
            name=place.name,
            command=self.command(place),
            log=self.run.log(place.name),
            environment=python_environment(self.settings_of(place)),
            ports=place.ports,
            live_port=place.ports["internal"],
            folder=REPOSITORY,
            grace_seconds=15.0,
        )

    def command(self, place: Place) -> list[str]:
        return [sys.executable, "-m", f"services.chassis.hosting.{place.role}", place.service]

    def settings_of(self, place: Place) -> dict[str, str]:
        owners = ";".join(
            f"{service}={','.join(self._addresses(service, 'internal'))}" for service in SERVICES
        )
        return {
            **self.settings,
            **self.own_settings[place.service],
            **{
                f"KINDRED_{kind.upper()}": f"{LOOPBACK}:{port}"
                for kind, port in place.ports.items()
            },
            "KINDRED_OWNERS": owners,
            "KINDRED_TOPOLOGY": str(TOPOLOGY),
            **PAGE_SETTINGS,
            "KINDRED_DEMO_ACCOUNTS": str(self.run.path / "demo.json"),
            "KINDRED_TOKEN_ISSUER": TOKEN_ISSUER,
            "KINDRED_DEMO": "1",
            "KINDRED_TOKEN_KEYS": str(key_set_file(self.run.keys)),
            "KINDRED_PACK_KEYS": str(pack_key_set_file(self.run.keys)),
            "KINDRED_SERVICE_KEY": str(key_file(self.run.keys, kid_of(place.service))),
        }

    def _addresses(self, service: str, kind: str) -> list[str]:
        return [
            f"{LOOPBACK}:{place.ports[kind]}"
            for place in self.places
            if place.service == service and place.role == "web"
        ]
