"""Proposals made and checked from outside the services' processes, which a solver would hold up."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from marshmallow import ValidationError

from deploy.as_service import as_service, own_dsn
from deploy.machine.running_system import RunningSystem
from services.chassis.http.reading import flatten
from services.matching.domain.assignment import Certificate
from services.matching.domain.ranking import Policy
from services.matching.handlers import proposing, trying
from services.matching.handlers.proposing import NotThere, Proposal
from services.matching.handlers.shortlisting import POLICY
from services.matching.handlers.trying import Trial, differing
from services.matching.schemas.policy import PolicySchema

__all__ = [
    "NotThere",
    "WrongPolicy",
    "active_policy",
    "differing",
    "propose",
    "read_policy",
    "try_policy",
    "verify",
]


def propose(system: RunningSystem, tell: Callable[[str], None]) -> Proposal:
    with as_service(system, "matching", own_dsn(system, "matching")) as (workplace, _):
        return proposing.propose(workplace.begin, tell)


def active_policy() -> str:
    return json.dumps(asdict(POLICY), indent=2)


def try_policy(system: RunningSystem, policy: Policy) -> tuple[Trial, Trial]:
    with as_service(system, "matching", own_dsn(system, "matching")) as (workplace, _):
        return trying.try_policy(workplace.begin, policy)


def read_policy(path: Path) -> Policy:
    """The policy in a JSON file; `WrongPolicy` names all that is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise WrongPolicy(["the file is not JSON in UTF-8"]) from None
    try:
        policy: Policy = PolicySchema().load(content)
    except ValidationError as error:
        told = flatten(error.messages, "", "policy")
        raise WrongPolicy([f"{field}: {' '.join(texts)}" for field, texts in told]) from None
    return policy


class WrongPolicy(Exception):
    """Nothing of the file is used; `problems` has a line for each mistake."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def verify(system: RunningSystem, run: UUID) -> tuple[Certificate, tuple[str, ...]]:
    here = as_service(system, "matching", own_dsn(system, "matching"))
    with here as (workplace, _), workplace.begin() as work:
        return proposing.verify(run, work)
