"""Which policy counts: only what is signed and newer, alike in every process, at once."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.proposing import read_policy
from services.chassis import packs
from services.chassis.http.keys import KeyWithName, new_key
from services.chassis.work import Workplace
from services.matching.domain.ranking import Policy
from services.matching.handlers import policies
from services.matching.handlers.policies import NotNewer, WrongPolicy
from services.matching.service import Matching
from tests.integration.matching.story import Story

NEARBY = replace(
    Policy(), version=2, weights={**dict.fromkeys(Policy().weights, 0), "distance": 10_000}
)


def signed(policy: Any, key: KeyWithName, kind: str = policies.KIND) -> str:
    content = asdict(policy) if isinstance(policy, Policy) else policy
    return packs.sign(json.loads(json.dumps(content)), key, kind=kind)


def activate(story: Story, pack: str) -> Policy:
    with story.scene.workplace.begin() as work:
        return policies.activate(pack, work)


def order(story: Story, referral_id: UUID) -> list[UUID]:
    return [UUID(one["peer_id"]) for one in story.shortlist(referral_id).json["candidates"]]


def version_of(story: Story, workplace: Workplace | None = None) -> int:
    with (workplace or story.scene.workplace).begin() as work:
        return policies.active(work).version


def test_without_any_the_one_that_comes_with_the_code_counts(story: Story) -> None:
    assert version_of(story) == Policy().version


def test_who_waits_is_ranked_by_a_policy_as_soon_as_it_counts(story: Story) -> None:
    far = story.add_peer(topics=["grief", "work"], postal_code="74133")
    near = story.add_peer(topics=[], postal_code="74103")
    referral_id = story.refer(postal_code="74103")
    assert order(story, referral_id) == [far, near]
    story.scene.pass_time(minutes=5)

    activate(story, signed(NEARBY, story.scene.pack_key))
    story.scene.pass_time(minutes=1)
    story.scene.run_timer("rank_the_waiting")

    assert order(story, referral_id) == [near, far]
    [match] = story.scene.rows("SELECT policy_version FROM matches")
    assert match["policy_version"] == 2


def test_a_process_that_ranked_before_sees_the_new_one_too(story: Story) -> None:
    settings, clock = story.scene.settings, story.scene.clock
    other = Workplace(Matching, story.scene.pool, settings, clock)
    assert version_of(story, other) == 1

    activate(story, signed(NEARBY, story.scene.pack_key))

    assert version_of(story, other) == version_of(story) == 2


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_not_newer_is_refused(story: Story, version: int) -> None:
    activate(story, signed(NEARBY, story.scene.pack_key))

    with pytest.raises(NotNewer):
        activate(story, signed(replace(NEARBY, version=version), story.scene.pack_key))

    assert version_of(story) == 2


def tampered(pack: str) -> str:
    header, payload, signature = pack.split(".")
    return ".".join([header, payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB"), signature])


def test_a_pack_that_nobody_answers_for_is_refused_and_changes_nothing(story: Story) -> None:
    good = signed(NEARBY, story.scene.pack_key)
    told = {}
    for name, pack in {
        "a stranger's": signed(NEARBY, new_key("packs")),
        "an unknown key": signed(NEARBY, new_key("somebody")),
        "changed": tampered(good),
        "another kind": signed(NEARBY, story.scene.pack_key, kind="menu"),
        "a token's key": signed(NEARBY, story.scene.issuer),
        "no pack": json.dumps(asdict(NEARBY)),
        "nothing": "",
    }.items():
        with pytest.raises(WrongPolicy) as wrong:
            activate(story, pack)
        told[name] = wrong.value.problems

    assert set(map(len, told.values())) == {1}
    assert all(problems[0].startswith("signature: ") for problems in told.values())
    assert version_of(story) == 1


def test_a_signature_does_not_make_a_wrong_policy_right(story: Story) -> None:
    wrong_one = {**asdict(NEARBY), "weights": {"topics": 10_000}, "capacity": -1}

    with pytest.raises(WrongPolicy) as wrong:
        activate(story, signed(wrong_one, story.scene.pack_key))

    assert "capacity: Unknown field." in wrong.value.problems
    assert "weights.load: Missing data for required field." in wrong.value.problems
    assert version_of(story) == 1


def test_a_policy_that_was_changed_in_the_database_is_not_used(story: Story) -> None:
    activate(story, signed(NEARBY, story.scene.pack_key))
    generous = signed(replace(NEARBY, version=3), new_key("packs"))
    with story.scene.work() as work:
        work.connection.execute(
            "INSERT INTO policies VALUES (3, %s, 'packs', %s)", (generous, story.scene.now)
        )

    assert version_of(story) == 2


def test_a_pack_is_tried_like_a_file(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "policy.pack"
    path.write_text(signed(NEARBY, story.scene.pack_key))

    assert read_policy(path, story.scene.settings) == NEARBY
    with pytest.raises(WrongPolicy):
        read_policy(path)
