"""Proposals made and checked from outside the services' processes, which a solver would hold up."""

from collections.abc import Callable
from uuid import UUID

from deploy.as_service import as_service, own_dsn
from deploy.machine.running_system import RunningSystem
from services.matching.domain.assignment import Certificate
from services.matching.handlers import proposing
from services.matching.handlers.proposing import NotThere, Proposal

__all__ = ["NotThere", "propose", "verify"]


def propose(system: RunningSystem, tell: Callable[[str], None]) -> Proposal:
    with as_service(system, "matching", own_dsn(system, "matching")) as (workplace, _):
        return proposing.propose(workplace.begin, tell)


def verify(system: RunningSystem, run: UUID) -> tuple[Certificate, tuple[str, ...]]:
    here = as_service(system, "matching", own_dsn(system, "matching"))
    with here as (workplace, _), workplace.begin() as work:
        return proposing.verify(run, work)
