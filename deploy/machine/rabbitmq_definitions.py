"""What RabbitMQ reads at boot: its settings, the vhost, users with hashed passwords, topology."""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

VHOST = "kindred"
ADMIN = "deployer"
_EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}
_CONSUMER_TIMEOUT_MS = 5 * 60 * 1000

# A crash report may print the message that a process was handling: only critical lines are kept.
_CONFIGURATION = """\
listeners.tcp.default = {listen}
loopback_users = none
load_definitions = {loaded}
default_vhost = {vhost}
default_user = {admin}
default_pass = {password}
consumer_timeout = {consumer_timeout}
disk_free_limit.absolute = 64MB
raft.wal_max_size_bytes = 2097152
log.console = false
log.file.level = critical
log.default.level = critical
log.connection.level = critical
log.channel.level = critical
log.queue.level = critical
"""
# Cut off from the majority, a node stops serving: its clients go where the queues are.
_OF_A_CLUSTER = """\
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
"""


def configuration(*, listen: str, loaded: Path, password: str, peers: Sequence[str] = ()) -> str:
    """rabbitmq.conf; `loaded` is the file of the definitions, `peers` all nodes of a cluster."""
    alone = _CONFIGURATION.format(
        listen=listen,
        loaded=loaded,
        vhost=VHOST,
        admin=ADMIN,
        password=password,
        consumer_timeout=_CONSUMER_TIMEOUT_MS,
    )
    named = [
        f"cluster_formation.classic_config.nodes.{number} = {peer}\n"
        for number, peer in enumerate(peers, 1)
    ]
    return "".join([alone, _OF_A_CLUSTER, *named]) if peers else alone


def definitions(
    admin_password: str,
    services: Mapping[str, str] | None = None,
    topology: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`services` maps each service's name to its password; `topology` is deploy/topology.json.

    A service writes to its own exchange, reads its own queues, and declares nothing.
    """
    users = {ADMIN: admin_password, **(services or {})}
    topology = topology or {}
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, password) for name, password in users.items()],
        "permissions": [
            {"user": ADMIN, "vhost": VHOST, **_EVERYTHING},
            *(_permissions(service) for service in services or {}),
        ],
        "exchanges": [_exchange(name) for name in topology.get("exchanges", ())],
        "queues": [
            {"name": name, "vhost": VHOST, "durable": True, "auto_delete": False, "arguments": more}
            for name, more in topology.get("queues", {}).items()
        ],
        "bindings": [_binding(binding) for binding in topology.get("bindings", ())],
    }


def _user(name: str, password: str) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest())
    return {
        "name": name,
        "password_hash": hashed.decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "",
    }


def _permissions(service: str) -> dict[str, str]:
    return {
        "user": service,
        "vhost": VHOST,
        "configure": "^$",
        "write": rf"^{service}\.events$",
        "read": rf"^{service}\..*$",
    }


def _exchange(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "type": "topic",
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _binding(binding: Mapping[str, str]) -> dict[str, Any]:
    return {
        "source": binding["exchange"],
        "vhost": VHOST,
        "destination": binding["queue"],
        "destination_type": "queue",
        "routing_key": binding["routing_key"],
        "arguments": {},
    }
