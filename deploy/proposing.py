"""Proposals made and checked from outside the services' processes, which a solver would hold up."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.as_service import as_service, own_dsn
from deploy.machine.private_files import PACKS, key_file
from deploy.machine.running_system import RunningSystem
from services.chassis import packs
from services.chassis.http.keys import WrongKey, read_private_key
from services.chassis.settings import Settings
from services.matching.domain.assignment import Certificate
from services.matching.domain.ranking import Policy
from services.matching.handlers import policies, proposing, trying
from services.matching.handlers.policies import NotNewer, WrongPolicy
from services.matching.handlers.proposing import NotThere, Proposal
from services.matching.handlers.trying import Trial, differing

__all__ = [
    "NotNewer",
    "NotThere",
    "WrongPolicy",
    "activate_policy",
    "active_policy",
    "differing",
    "propose",
    "read_policy",
    "sign_policy",
    "signing_key",
    "try_policy",
    "verify",
]


def propose(system: RunningSystem, tell: Callable[[str], None]) -> Proposal:
    with as_service(system, "matching", own_dsn(system, "matching")) as (workplace, _):
        return proposing.propose(workplace.begin, tell)


def active_policy(system: RunningSystem) -> str:
    here = as_service(system, "matching", own_dsn(system, "matching"))
    with here as (workplace, _), workplace.begin() as work:
        return json.dumps(asdict(policies.active(work)), indent=2)


def try_policy(system: RunningSystem, path: Path) -> tuple[Trial, Trial]:
    """The policy in the file, signed or not, on the queue as it is; raise WrongPolicy."""
    with as_service(system, "matching", own_dsn(system, "matching")) as (workplace, _):
        return trying.try_policy(workplace.begin, read_policy(path, workplace.settings))


def read_policy(path: Path, settings: Settings | None = None) -> Policy:
    """The policy in a JSON file, or in a pack whose signature holds; raise WrongPolicy."""
    text = _text_of(path)
    if packs.is_pack(text):
        policy, _signed_by = policies.read(text, settings)
        return policy
    return policies.parse(_json(text))


def sign_policy(path: Path, key: Path) -> str:
    """The policy in the file as a pack that a region can put to use; raise WrongPolicy."""
    content = _json(_text_of(path))
    policies.parse(content)
    try:
        return packs.sign(content, read_private_key(key), kind=policies.KIND)
    except WrongKey as error:
        raise WrongPolicy([f"key: {error}"]) from None


def activate_policy(system: RunningSystem, path: Path) -> Policy:
    """Put the pack to use; raise WrongPolicy, and NotNewer."""
    here = as_service(system, "matching", own_dsn(system, "matching"))
    with here as (workplace, _), workplace.begin() as work:
        return policies.activate(_text_of(path), work)


def signing_key(system: RunningSystem) -> Path:
    """The key of a system on one machine; a region's own lies with whoever answers for it."""
    return key_file(system.run.keys, PACKS)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise WrongPolicy(["the file cannot be read as UTF-8"]) from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise WrongPolicy(["the file is not JSON"]) from None


def verify(system: RunningSystem, run: UUID) -> tuple[Certificate, tuple[str, ...]]:
    here = as_service(system, "matching", own_dsn(system, "matching"))
    with here as (workplace, _), workplace.begin() as work:
        return proposing.verify(run, work)
