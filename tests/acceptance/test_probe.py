"""The synthetic referral gets its answer, and nobody sees it, is told of it or counts it."""

import json
import subprocess
import sys
from typing import Any

import pytest

from deploy.machine.run_folder import REPOSITORY
from deploy.region.api import Account, Api
from services.chassis.organisations import SYNTHETIC_CLINIC
from tests.acceptance.running import Running


def walk(system: Running) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.probe", "--once"],
        cwd=REPOSITORY,
        env=system.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture
def walked(system: Running) -> dict[str, Any]:
    return walk(system)


def test_a_synthetic_referral_is_answered_and_withdrawn(
    system: Running, walked: dict[str, Any]
) -> None:
    assert walked["outcome"] == "answered"
    query = "SELECT status, count(*) FROM referrals WHERE clinic_id = %s GROUP BY status"
    (row,) = system.rows("referrals", query, SYNTHETIC_CLINIC)
    assert row["status"] == "withdrawn"


def test_nobody_is_told_of_a_synthetic_referral(system: Running, walked: dict[str, Any]) -> None:
    query = "SELECT count(*) FROM messages WHERE clinic_id = %s"

    assert system.rows("notifications", query, SYNTHETIC_CLINIC) == [{"count": 0}]


def test_no_peer_is_shown_for_a_synthetic_referral(system: Running, walked: dict[str, Any]) -> None:
    query = "SELECT count(*) FROM shortlisted_peers WHERE clinic_id = %s"

    assert system.rows("matching", query, SYNTHETIC_CLINIC) == [{"count": 0}]


def test_an_operator_does_not_see_the_synthetic_clinic(
    api: Api, system: Running, walked: dict[str, Any]
) -> None:
    operator = Account("operator", "somebody", ())

    ids = {clinic["clinic_id"] for clinic in api.all("/api/referrals/clinics", by=operator)}

    assert str(SYNTHETIC_CLINIC) not in ids
    assert ids
