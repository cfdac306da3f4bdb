"""Where Prometheus reads the metrics of each running process, in its own file format."""

from typing import Any

from deploy.machine.ports import LOOPBACK
from deploy.machine.run_folder import RunFolder, read_json


def targets(run: RunFolder) -> list[dict[str, Any]]:
    """One entry for each process with an internal port; its name is `service.role.replica`."""
    return [
        {"targets": [f"{LOOPBACK}:{entry['ports']['internal']}"], "labels": _labels(name)}
        for name, entry in read_json(run.ports).items()
        if "internal" in entry["ports"]
    ]


def _labels(process: str) -> dict[str, str]:
    service, _, rest = process.partition(".")
    role, _, replica = rest.partition(".")
    return {"process": process, "service": service, "role": role, "replica": replica}
