"""Alerts fire and stay quiet as they should, name metrics that exist, and have a runbook each."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from prometheus_client import REGISTRY

from deploy import probe
from deploy.machine.run_folder import REPOSITORY, RunFolder, write_json
from deploy.targets import targets
from services.chassis import metrics

PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
RUNBOOKS = REPOSITORY / "deploy" / "runbooks"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "kindred.json"
_NAME = re.compile(r"\b(?:kindred_\w+|process_\w+|up)\b")
_FROM_ELSEWHERE = {"up", "process_start_time_seconds", "process_resident_memory_bytes"}


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def known_names() -> set[str]:
    """Every time series that our processes may expose."""
    return set(REGISTRY._names_to_collectors) | _FROM_ELSEWHERE


def names_in(expression: str) -> set[str]:
    # What stands in braces or after `by` are labels.
    bare = re.sub(r"\{[^}]*\}|by \([^)]*\)", "", expression)
    return set(_NAME.findall(bare))


def expressions() -> Iterator[tuple[str, str]]:
    for alert in alerts():
        yield alert["alert"], alert["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )


def test_every_alert_fires_and_stays_quiet_as_its_tests_say() -> None:
    done = promtool("test", "rules", "tests.yaml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    done = promtool("check", "config", "--syntax-only", "prometheus.yaml")

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_both_ways() -> None:
    tests = yaml.safe_load((PROMETHEUS / "tests.yaml").read_text())["tests"]
    tried = {
        (one["alertname"], bool(one["exp_alerts"]))
        for test in tests
        for one in test["alert_rule_test"]
    }

    names = {alert["alert"] for alert in alerts()}
    assert tried == {(name, fires) for name in names for fires in (True, False)}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_its_runbook(alert: dict[str, Any]) -> None:
    page = REPOSITORY / alert["annotations"]["runbook"]

    assert page == RUNBOOKS / f"{alert['alert']}.md"
    headings = [line for line in page.read_text().splitlines() if line.startswith("#")]
    assert headings == [f"# {alert['alert']}", "## What it means", "## Look at", "## Do"]


def test_no_runbook_is_left_over() -> None:
    names = {alert["alert"] for alert in alerts()}

    assert {page.stem for page in RUNBOOKS.glob("[A-Z]*.md")} == names


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_a_metric_that_is_named_is_one_that_the_code_defines(where: str, expression: str) -> None:
    assert names_in(expression) - known_names() == set()


def test_the_dashboard_shows_every_metric() -> None:
    shown = {name for _, expression in expressions() for name in names_in(expression)}
    defined = {
        value._name
        for module in (metrics, probe)
        for value in vars(module).values()
        if hasattr(value, "_name")
    }

    assert {name for name in defined if not any(one.startswith(name) for one in shown)} == set()


def test_every_panel_has_a_place_of_its_own() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]

    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_each_process_with_metrics_is_a_target_that_tells_whose_it_is(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_json(
        run.ports,
        {
            "postgres": {"ports": {"postgresql": 1}},
            "matching.web.2": {"ports": {"http": 2, "internal": 3}},
        },
    )

    assert targets(run) == [
        {
            "targets": ["127.0.0.1:3"],
            "labels": {
                "process": "matching.web.2",
                "service": "matching",
                "role": "web",
                "replica": "2",
            },
        }
    ]
