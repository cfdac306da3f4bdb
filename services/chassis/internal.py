"""Asking the service that owns a fact: by ids, for a stated purpose, and never for long."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count, islice
from time import monotonic
from typing import Any
from uuid import UUID

import urllib3

from services.chassis import metrics
from services.chassis.errors import ChassisError, OwnerAway
from services.chassis.http.keys import read_private_key
from services.chassis.http.tokens import ServiceIdentity
from services.chassis.pulse import beat
from services.chassis.settings import Address, Settings

PURPOSE = "kindred-purpose"
ORGS = "kindred-orgs"
# Servers read about 8 KiB per header; an organisation takes 33 characters of it.
MAX_ORGS = 240

_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_LEAST_TRIES = 2  # a kept connection may have been closed by a replica that was started anew


class OwnerRefused(ChassisError):
    """The owner answered, but not what was asked: 409 with the slug where a rule refuses."""

    def __init__(self, owner: str, status: int, slug: str | None) -> None:
        super().__init__(f"{owner} answered {status}")
        self.status = status
        self.slug = slug


class Directory:
    """The other services, by name; every replica of an owner is tried before it counts as away."""

    def __init__(self, identity: ServiceIdentity, owners: Mapping[str, Sequence[Address]]) -> None:
        self.identity = identity
        self.owners = owners
        self._turns = count()
        self._pools = urllib3.PoolManager(num_pools=32, maxsize=8, retries=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Directory":
        return cls(ServiceIdentity(read_private_key(settings.service_key)), settings.owners)

    def ask(
        self,
        owner: str,
        path: str,
        *,
        purpose: str,
        orgs: Iterable[UUID],
        body: Mapping[str, Any],
        timeout_seconds: float = 2.0,
    ) -> dict[str, Any]:
        """What the owner answers; raise OwnerAway when none of its replicas does in time.

        The owner sees only rows of `orgs`. Asking changes nothing there but the record of what
        was disclosed, so a second try is safe.
        """
        beat()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.identity.token_for(owner)}",
            PURPOSE: purpose,
            ORGS: _listed(orgs),
        }
        content = json.dumps(body, default=_text).encode()
        for url, seconds in self._tries(owner, path, timeout_seconds):
            answer = self._post(url, content, headers, seconds)
            if answer is not None:
                return _read(owner, *answer)
        metrics.ASKED.labels(owner, "away").inc()
        raise OwnerAway(owner)

    def _tries(self, owner: str, path: str, timeout_seconds: float) -> Iterator[tuple[str, float]]:
        """Each replica's address, another one first each time, with its share of what is left."""
        addresses = self.owners.get(owner, ())
        tries = max(len(addresses), _LEAST_TRIES) if addresses else 0
        deadline = monotonic() + timeout_seconds
        for left, turn in zip(range(tries, 0, -1), islice(self._turns, tries), strict=False):
            address = addresses[turn % len(addresses)]
            seconds = (deadline - monotonic()) / left
            if seconds > 0:
                yield f"http://{address.host}:{address.port}{path}", seconds

    def _post(
        self, url: str, content: bytes, headers: Mapping[str, str], seconds: float
    ) -> tuple[int, bytes] | None:
        """Status and body, or nothing when this replica cannot help."""
        try:
            answer = self._pools.request(
                "POST",
                url,
                body=content,
                headers=headers,
                timeout=urllib3.Timeout(total=seconds),
                redirect=False,
                preload_content=False,
            )
            try:
                body = answer.read(_MAX_ANSWER_BYTES + 1)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError):
            return None
        # Refused who we are: its clock or ours is wrong, which is no answer to what was asked.
        cannot_help = answer.status >= 500 or answer.status in {401, 429}
        return None if cannot_help else (answer.status, body)


def organisations_of(header: str | None) -> frozenset[UUID]:
    """The organisations that a calling service named; raise ValueError."""
    return frozenset(UUID(text.strip()) for text in (header or "").split(",") if text.strip())


def _listed(orgs: Iterable[UUID]) -> str:
    named = sorted({org.hex for org in orgs})
    if len(named) > MAX_ORGS:
        raise ValueError(f"more than {MAX_ORGS} organisations in one question")
    return ",".join(named)


def _read(owner: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body) if len(body) <= _MAX_ANSWER_BYTES else None
    except ValueError:
        read = None
    if status == 200 and isinstance(read, dict):
        metrics.ASKED.labels(owner, "answered").inc()
        return read
    metrics.ASKED.labels(owner, "refused").inc()
    kind = read.get("type") if isinstance(read, dict) else None
    slug = kind.rpartition(":")[2] if isinstance(kind, str) else None
    raise OwnerRefused(owner, status, slug)


def _text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into a question")
