"""The supervisor of a system whose processes run one of two releases, as a test says.

`python -m tests.faults.releases`. With arguments `WHERE ROLE SERVICE` it becomes a service's
process, of the release whose folder is written in WHERE.
"""

import os
import sys
from dataclasses import fields, replace
from pathlib import Path

from deploy.machine import supervisor
from deploy.machine.plan import Plan, make_plan
from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.machine.service_processes import Place, ServiceProcesses

MODULE = "tests.faults.releases"


def release_file(run: RunFolder, process: str) -> Path:
    """Holds the folder of the process's release; missing, it is this repository."""
    return run.path / "releases" / process


class ReleasedProcesses(ServiceProcesses):
    def command(self, place: Place) -> list[str]:
        where = str(release_file(self.run, place.name))
        return [sys.executable, "-m", MODULE, where, place.role, place.service]


def plan_released(run: RunFolder, gateway_port: int, replicas: int) -> Plan:
    """The usual plan, with services that may be of another release."""
    usual = make_plan(run, gateway_port, replicas)
    kept = {field.name: getattr(usual.services, field.name) for field in fields(usual.services)}
    return replace(usual, services=ReleasedProcesses(**kept))


def become(where: Path, role: str, service: str) -> None:
    os.chdir(where.read_text() if where.exists() else REPOSITORY)
    module = f"services.chassis.hosting.{role}"
    os.execv(sys.executable, [sys.executable, "-m", module, service])  # noqa: S606


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(supervisor.main(plan_released))
    become(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
