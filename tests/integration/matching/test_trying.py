"""Another policy on the queue as it is: what would change, and that nothing does."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.proposing import WrongPolicy, read_policy
from services.matching.domain.ranking import Policy
from services.matching.handlers.trying import differing, try_policy
from tests.integration.matching.story import Story

ACTIVE: dict[str, Any] = json.loads(json.dumps(asdict(Policy())))


def written(folder: Path, content: Any) -> Path:
    path = folder / "policy.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_whole_policy_is_read_as_it_stands(tmp_path: Path) -> None:
    other = {**ACTIVE, "version": 2, "per_day_waited": 50}

    assert read_policy(written(tmp_path, other)) == replace(Policy(), version=2, per_day_waited=50)


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("{", ["the file is not JSON"]),
        ([], ["policy: Invalid input type."]),
        ({**ACTIVE, "served": -1}, ["served: "]),
        ({**ACTIVE, "max_kilometres": 0}, ["max_kilometres: "]),
        ({**ACTIVE, "per_day_waited": 2.5}, ["per_day_waited: Not a valid integer."]),
        ({**ACTIVE, "no_such_rule": 1}, ["no_such_rule: Unknown field."]),
        (
            {**ACTIVE, "weights": {**ACTIVE["weights"], "topics": 3_501}},
            ["weights: Together they are 10001; they have to be 10000."],
        ),
        (
            {
                **{name: value for name, value in ACTIVE.items() if name != "version"},
                "weights": {
                    **{name: 1 for name in ACTIVE["weights"] if name != "load"},
                    "luck": 1,
                },
            },
            [
                "version: Missing data for required field.",
                "weights.load: Missing data for required field.",
                "weights.luck: Unknown field.",
            ],
        ),
    ],
)
def test_every_mistake_in_a_policy_is_told(
    tmp_path: Path, content: Any, problems: list[str]
) -> None:
    with pytest.raises(WrongPolicy) as wrong:
        read_policy(written(tmp_path, content))

    told = sorted(wrong.value.problems)
    assert len(told) == len(problems)
    assert all(one.startswith(known) for one, known in zip(told, problems, strict=True))


def test_another_policy_shows_whom_it_would_serve_and_changes_nothing(story: Story) -> None:
    story.add_peer(capacity=1)
    story.refer(received_at="2025-01-01T15:00:00Z", urgency="routine")
    story.refer(received_at="2026-11-20T15:00:00Z", urgency="urgent")
    before = (story.scene.events(), story.scene.rows("SELECT * FROM matches ORDER BY id"))
    hurry = replace(Policy(), version=2, per_step_of_urgency=500_000)

    active, tried = try_policy(story.scene.workplace.begin, hurry)

    assert (active.people, active.served, tried.served) == (2, 1, 1)
    assert (active.urgent_served, tried.urgent_served) == (0.0, 1.0)
    assert differing(active, tried) == 2
    after = (story.scene.events(), story.scene.rows("SELECT * FROM matches ORDER BY id"))
    assert after == before
    assert story.scene.rows("SELECT FROM proposals") == []


def test_where_nobody_waits_two_policies_are_alike(story: Story) -> None:
    active, tried = try_policy(story.scene.workplace.begin, Policy())

    assert (active.people, active.served, differing(active, tried)) == (0, 0, 0)
