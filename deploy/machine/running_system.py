"""The running system as the region, the walk and the operator's commands see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.machine.ports import LOOPBACK
from deploy.machine.private_files import Secrets, key_file
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST
from deploy.machine.run_folder import CannotStart, RunFolder, read_json
from deploy.machine.service_processes import TOKEN_ISSUER
from deploy.machine.standby import dsn_of
from services.chassis.http import keys
from services.chassis.http.request import Caller
from services.chassis.http.tokens import issue
from services.chassis.roles import Role

_TOKEN_SECONDS = 8 * 3600


@dataclass(frozen=True)
class RunningSystem:
    run: RunFolder

    @property
    def gateway_url(self) -> str:
        return str(read_json(self.run.state).get("url", ""))

    @property
    def run_folder(self) -> Path:
        return self.run.path

    @property
    def mail_folder(self) -> Path:
        return self.run.mail

    def token(self, role: str, account: str, orgs: Sequence[str], person: str | None = None) -> str:
        """A bearer token by the demo's own issuer; in production a provider signs them."""
        return issue(
            keys.read_private_key(key_file(self.run.keys, keys.ISSUER)),
            Caller(
                subject=account,
                role=Role(role),
                orgs=frozenset(map(UUID, orgs)),
                person=UUID(person) if person else None,
            ),
            issuer=TOKEN_ISSUER,
            now=datetime.now(UTC),
            lifetime_seconds=_TOKEN_SECONDS,
        )

    def demo(self) -> dict[str, Any]:
        """What the demo region's loader wrote down: organisations and accounts."""
        return read_json(self.run.path / "demo.json")

    def port(self, process: str, kind: str) -> int:
        entry = read_json(self.run.ports).get(process)
        if entry is None:
            raise CannotStart("The system is not running: make up starts it.")
        return int(entry["ports"][kind])

    def addresses(self, service: str, role: str, kind: str) -> list[str]:
        """Where every replica of a service answers."""
        return [
            f"{LOOPBACK}:{entry['ports'][kind]}"
            for name, entry in read_json(self.run.ports).items()
            if name.startswith(f"{service}.{role}.")
        ]

    def database_dsn(self, name: str, user: str, password: str) -> str:
        """Where a database takes writes, also if a standby was promoted meanwhile."""
        ports = [
            entry["ports"]["postgresql"]
            for entry in read_json(self.run.ports).values()
            if "postgresql" in entry["ports"]
        ]
        if not ports:
            raise CannotStart("The system is not running: make up starts it.")
        return dsn_of(ports, name, user, password)

    def broker_urls(self) -> str:
        """Every node's address, as the one who deploys."""
        secret = self.secret("rabbitmq")
        return ";".join(
            f"amqp://{ADMIN}:{secret}@{LOOPBACK}:{entry['ports']['amqp']}/{VHOST}"
            for entry in read_json(self.run.ports).values()
            if "amqp" in entry["ports"]
        )

    def secret(self, name: str) -> str:
        return Secrets(self.run.path / "secrets.json").of(name)
