"""Where everything of one running system lies: the run folder and what is in it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8080
MOST_REPLICAS = 8


class CannotStart(Exception):
    """One clear line for whoever started the system."""


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @classmethod
    def of_environment(cls) -> "RunFolder":
        return cls(Path(os.environ.get("KINDRED_RUN") or REPOSITORY / ".run").absolute())

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def state(self) -> Path:
        return self.path / "supervisor.json"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def database_roles(self) -> Path:
        """Which of two database servers takes writes."""
        return self.path / "database.json"

    @property
    def database_request(self) -> Path:
        """What an operator asks of the supervisor about them, and then its answer."""
        return self.path / "database-request.json"

    @property
    def held(self) -> Path:
        """Which services' processes are to stay stopped: a restore is at their databases."""
        return self.path / "held.json"

    @property
    def backups(self) -> Path:
        """Where backups and journals lie; in earnest on another disk."""
        return Path(os.environ.get("KINDRED_BACKUPS") or self.path / "backups").absolute()

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        for folder in (self.path, self.keys, self.mail, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.keys, self.mail):
            folder.chmod(0o700)
        for folder in (self.path, self.logs):
            folder.chmod(0o711)  # servers that run as another user pass through


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o600) -> None:
    """Readers see the old file or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    fresh.replace(path)


def write_json(path: Path, content: Mapping[str, Any], *, mode: int = 0o600) -> None:
    write_atomically(path, json.dumps(content, indent=2) + "\n", mode=mode)


def read_json(path: Path) -> dict[str, Any]:
    """What the file holds; nothing when it is missing or half of it was lost."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content if isinstance(content, dict) else {}


def whole_number(name: str, default: int, least: int, most: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdigit() or not least <= int(text) <= most:
        raise CannotStart(f"{name} is not a whole number from {least} to {most}.")
    return int(text)


def gateway_port() -> int:
    return whole_number("KINDRED_PORT", DEFAULT_PORT, 1, 65535)


def probe_interval() -> int:
    """Seconds between synthetic referrals; 0 submits none."""
    return whole_number("KINDRED_PROBE_SECONDS", 300, 0, 86_400)


def replicas() -> int:
    return whole_number("KINDRED_REPLICAS", 1, 1, MOST_REPLICAS)


def has_standby() -> bool:
    """Whether a second database server follows the first."""
    return bool(whole_number("KINDRED_STANDBY", 0, 0, 1))


def brokers() -> int:
    """How many nodes the broker has: of two, neither would go on without the other."""
    nodes = whole_number("KINDRED_BROKERS", 1, 1, 3)
    if nodes == 2:
        raise CannotStart("KINDRED_BROKERS is 1 or 3.")
    return nodes
