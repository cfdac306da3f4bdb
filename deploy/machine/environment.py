"""The environment that every process of the system gets, without what would disturb it."""

import os
from collections.abc import Mapping
from pathlib import Path

# Settings of somebody's shell for other servers, and proxies that would catch loopback requests.
_FOREIGN = ("PG", "RABBITMQ_", "ERL_", "PYTHON")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def server_environment(**more: str | Path | int) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
    }
    environment |= {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return environment | {name: str(value) for name, value in more.items()}


def python_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """For our own programs: the zone data is the pinned package, never the system's copy."""
    return server_environment(PYTHONTZPATH="", PYTHONUNBUFFERED="1", **(more or {}))
