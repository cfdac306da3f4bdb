"""compose.yaml describes the same system as the supervisor starts."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from deploy.machine.postgres import SILENT_ABOUT_VALUES
from deploy.machine.run_folder import REPOSITORY
from deploy.topology import SERVICES

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "deploy" / "compose.yaml").read_text())


@pytest.mark.parametrize("role", ["web", "worker"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_both_roles(service: str, role: str) -> None:
    assert COMPOSE["services"][f"{service}-{role}"]["command"] == ["run", service, role]


@pytest.mark.parametrize("step", ["migrations", "topology"])
def test_services_start_after_both_steps(step: str) -> None:
    waits_for = COMPOSE["services"]["matching-worker"]["depends_on"]

    assert waits_for[step] == {"condition": "service_completed_successfully"}


def test_postgres_logs_no_values_there_either() -> None:
    settings = COMPOSE["services"]["postgres"]["command"]

    assert {f"{name}={value}" for name, value in SILENT_ABOUT_VALUES.items()} <= set(settings)


def test_only_the_gateway_is_reachable_from_outside() -> None:
    published = [name for name, service in COMPOSE["services"].items() if "ports" in service]

    assert published == ["gateway"]
