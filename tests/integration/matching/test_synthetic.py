"""What the probe's referrals left in matching is forgotten after a day, and nothing else."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from services.chassis.organisations import SYNTHETIC_CLINIC
from services.matching.service import Matching
from tests.support import Scene

MATCH = """
    INSERT INTO matches (id, referral_id, client_id, clinic_id, round, received_at, state,
                         end_reason, policy_version, ranked_at, opened_at, changed_at)
    VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %s, 1, now(), %s, %s, 1,
            now(), now(), now() - %s * interval '1 day')
"""
CLINIC = "INSERT INTO organisations VALUES (%s, 'clinic', 'One', 'Etc/UTC', NULL)"


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    scene = Scene(Matching, database("matching"))
    yield scene
    scene.close()


def store(scene: Scene, clinic: UUID, *, days: int, state: str = "ended") -> None:
    reason = "referral-withdrawn" if state == "ended" else None
    with psycopg.connect(scene.database.owner) as connection:
        connection.execute(CLINIC, (clinic,))
        connection.execute(MATCH, (clinic, state, reason, days))


@pytest.mark.parametrize(
    ("clinic", "days", "state", "left"),
    [
        (SYNTHETIC_CLINIC, 2, "ended", 0),
        (SYNTHETIC_CLINIC, 0, "ended", 1),
        (SYNTHETIC_CLINIC, 2, "waiting", 1),
        (uuid4(), 2, "ended", 1),
    ],
    ids=["old", "new", "open", "a person's"],
)
def test_only_old_ended_synthetic_matches_are_forgotten(
    scene: Scene, clinic: UUID, days: int, state: str, left: int
) -> None:
    store(scene, clinic, days=days, state=state)

    scene.run_timer("forget_synthetic")

    assert len(scene.rows("TABLE matches")) == left
