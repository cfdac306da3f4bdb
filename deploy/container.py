"""What a container of the image does: `python -m deploy.container setup|migrate|topology|run`.

compose.yaml tells which; all of them share the folder /state, which `setup` fills once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.machine import gateway, rabbitmq_definitions
from deploy.machine.databases import prepare_databases
from deploy.machine.environment import python_environment
from deploy.machine.private_files import (
    Secrets,
    key_file,
    key_set_file,
    make_keys,
    pack_key_set_file,
)
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST, definitions
from deploy.machine.run_folder import write_atomically, write_json
from deploy.machine.service_processes import TOKEN_ISSUER
from deploy.topology import FILE, SERVICES, apply, read_topology
from services.chassis.http.keys import kid_of

STATE = Path(os.environ.get("KINDRED_STATE", "/state"))
# One folder for each server's own files, so that it sees no other's.
FOR_SERVERS = Path(os.environ.get("KINDRED_FOR_SERVERS", "/for"))
HTTP, INTERNAL = 8000, 8001
_READABLE = 0o644


def _secrets() -> Secrets:
    return Secrets(STATE / "secrets.json")


def _password(service: str) -> str:
    return _secrets().of(f"service {service}")


def _database(name: str, user: str = "postgres", password: str | None = None) -> str:
    secret = password or _secrets().of("postgres")
    return f"postgresql://{user}:{secret}@postgres:5432/{name}"


def _broker(user: str, password: str) -> str:
    return f"amqp://{user}:{password}@rabbitmq:5672/{VHOST}"


def setup() -> None:
    """Make the keys and passwords that are missing, and each server's files from them."""
    keys = STATE / "keys"
    keys.mkdir(exist_ok=True)
    make_keys(keys, SERVICES)
    for service in SERVICES:
        _secrets().of(f"links {service}")
    postgres = FOR_SERVERS / "postgres"
    write_atomically(postgres / "password", _secrets().of("postgres"), mode=_READABLE)
    passwords = {service: _password(service) for service in SERVICES}
    broker = _secrets().of("rabbitmq")
    rabbit = FOR_SERVERS / "rabbitmq"
    loaded = definitions(broker, passwords, read_topology())
    write_json(rabbit / "definitions.json", loaded, mode=_READABLE)
    conf = rabbitmq_definitions.configuration(
        listen="0.0.0.0:5672", loaded=Path("/setup/definitions.json"), password=broker
    )
    write_atomically(rabbit / "rabbitmq.conf", conf, mode=_READABLE)
    nginx = gateway.configuration(
        listen="8080",
        upstreams={service: [f"{service}-web:{HTTP}"] for service in SERVICES},
        assets=Path("/setup/assets"),
        folder=Path("/tmp"),  # noqa: S108  of the container, which holds nothing else
        access_log="/dev/stdout",
        error_log="/dev/stderr",
    )
    write_atomically(FOR_SERVERS / "gateway" / "nginx.conf", nginx, mode=_READABLE)
    gateway.write_assets(FOR_SERVERS / "gateway" / "assets", mode=_READABLE)


def migrate() -> None:
    prepare_databases(SERVICES, _database, _password)


def topology() -> None:
    apply(_broker(ADMIN, _secrets().of("rabbitmq")))


def settings(service: str) -> dict[str, str]:
    owners = ";".join(f"{owner}={owner}-web:{INTERNAL}" for owner in SERVICES)
    return {
        "KINDRED_DATABASE": _database(service, service, _password(service)),
        "KINDRED_BROKER": _broker(service, _password(service)),
        "KINDRED_HTTP": f"0.0.0.0:{HTTP}",
        "KINDRED_INTERNAL": f"0.0.0.0:{INTERNAL}",
        "KINDRED_TOKEN_KEYS": str(key_set_file(STATE / "keys")),
        "KINDRED_PACK_KEYS": str(pack_key_set_file(STATE / "keys")),
        "KINDRED_TOKEN_ISSUER": TOKEN_ISSUER,
        "KINDRED_DEMO": "1",
        "KINDRED_SERVICE_KEY": str(key_file(STATE / "keys", kid_of(service))),
        "KINDRED_LINK_KEY": _secrets().of(f"links {service}"),
        "KINDRED_OWNERS": owners,
        "KINDRED_SMTP": "mail:2525",
        "KINDRED_TOPOLOGY": str(FILE),
        **gateway.PAGE_SETTINGS,
    }


def run(service: str, role: str) -> None:
    """Become the process of a service, with its settings."""
    module = f"services.chassis.hosting.{role}"
    command = [sys.executable, "-m", module, service]
    os.execve(sys.executable, command, python_environment(settings(service)))  # noqa: S606


TASKS: dict[str, Callable[..., None]] = {
    "setup": setup,
    "migrate": migrate,
    "topology": topology,
    "run": run,
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
