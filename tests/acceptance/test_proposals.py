"""kindred matching on a running system: a proposal is made, holds, and does not once changed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

from deploy.machine.run_folder import REPOSITORY
from tests.acceptance.clients import refer
from tests.acceptance.conftest import NewPlace
from tests.acceptance.running import Running


def kindred(system: Running, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "deploy.cli", "matching", *arguments]
    environment = {**os.environ, **system.environment}
    ran = subprocess.run(
        command, check=False, cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_a_proposal_is_made_and_holds_until_somebody_changes_it(
    system: Running, new_place: NewPlace
) -> None:
    place = new_place()
    peer = place.add_peer()
    referral_id = refer(place, place.story())["referral"]["id"]

    code, made = kindred(system, "propose")

    assert code == 0, made
    run = str(UUID(made.split()[-1]))
    query = """
        SELECT proposed_pairs.peer_id
          FROM proposed_pairs
          JOIN matches ON matches.id = match_id
         WHERE proposal_id = %s AND referral_id = %s
    """
    with system.database("matching") as connection:
        assert connection.execute(query, (run, referral_id)).fetchall() == [
            {"peer_id": UUID(peer.id)}
        ]
    code, told = kindred(system, "verify", run)
    assert (code, told.splitlines()[-1]) == (0, "It holds.")

    with system.database("matching") as connection:
        connection.execute("UPDATE proposals SET served = served + 1 WHERE id = %s", (run,))

    code, told = kindred(system, "verify", run)
    assert (code, "its sums are not what it says" in told) == (1, True)
    assert kindred(system, "verify", str(uuid4()))[0] == 1
    assert kindred(system, "verify", "yesterday's")[0] == 2


def test_a_policy_is_tried_on_the_queue_and_a_wrong_one_is_told_all_its_mistakes(
    system: Running, tmp_path: Path
) -> None:
    code, active = kindred(system, "policy")
    assert code == 0
    file = tmp_path / "policy.json"
    file.write_text(active)

    code, told = kindred(system, "try", str(file))

    assert code == 0, told
    assert told.splitlines()[-1] == "0 people would be proposed somebody else."
    file.write_text(json.dumps({**json.loads(active), "served": -1, "luck": 7}))
    code, told = kindred(system, "try", str(file))
    assert code == 2
    assert sorted(line.partition(":")[0] for line in told.splitlines()) == ["luck", "served"]


def test_a_signed_policy_counts_once_and_only_forward(system: Running, tmp_path: Path) -> None:
    policy, pack = tmp_path / "policy.json", tmp_path / "policy.pack"
    code, told = kindred(system, "policy")
    assert code == 0, told
    active = json.loads(told)
    policy.write_text(json.dumps({**active, "version": active["version"] + 1}))
    assert kindred(system, "activate", str(policy)) == (2, "signature: not a signed pack\n")

    code, signed = kindred(system, "sign", str(policy))
    assert code == 0, signed
    pack.write_text(signed)
    code, told = kindred(system, "activate", str(pack))

    assert (code, told) == (0, f"Policy {active['version'] + 1} counts from now on.\n")
    assert json.loads(kindred(system, "policy")[1])["version"] == active["version"] + 1
    code, told = kindred(system, "activate", str(pack))
    assert (code, told.partition(":")[0]) == (2, "version")
    assert kindred(system, "try", str(pack))[0] == 0
