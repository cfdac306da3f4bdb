"""The demo region and its walk, as `make demo` uses them."""

import time
from collections import Counter

from deploy import region
from deploy.region import crowd, demo_file
from deploy.region.accounts import COORDINATOR
from deploy.region.api import Api
from deploy.region.filling import fill
from deploy.region.people import PEERS
from deploy.region.walk import walk
from services.chassis.roles import Role
from tests.acceptance.running import Running


def test_loading_the_region_again_adds_nobody_and_takes_less_than_four_seconds(
    system: Running, api: Api
) -> None:
    before = sorted(peer["id"] for peer in api.all("/api/matching/peers", by=COORDINATOR))
    began = time.monotonic()

    region.load(system)

    after = sorted(peer["id"] for peer in api.all("/api/matching/peers", by=COORDINATOR))
    assert (len(after), after) == (20, before)
    assert time.monotonic() - began < 4


def test_the_walk_tells_every_step_with_its_time_and_brings_a_client(system: Running) -> None:
    said: list[str] = []

    walk(system, said.append)

    assert len(said) >= 12
    assert "The clinic submits a referral" in said[0]
    assert any("schedule notice is delivered" in line for line in said)
    told = demo_file.read(system.run_folder)
    assert {account["role"] for account in told["accounts"]} == set(Role) - {Role.SERVICE}
    assert len(told["organisations"]) == 9
    assert len(told["peers"]) == 20


def test_the_region_has_its_crowd_and_a_second_load_adds_nobody(system: Running, api: Api) -> None:
    fill(system)
    before = counted(api)
    fill(system)
    again = counted(api)
    said: list[str] = []
    walk(system, said.append)

    assert again.total() == before.total()  # some are still on their way to complete
    assert before["peers"] >= len(PEERS) + crowd.MORE_PEERS
    for stage in ("accepted", "submitted", "information-requested", "awaiting-consent", "declined"):
        assert before[stage] > 0, stage
    assert len(demo_file.read(system.run_folder)["peers"]) == before["peers"]
    assert "schedule notice is delivered" in said[-2]


def counted(api: Api) -> Counter[str]:
    found = Counter(one["status"] for one in api.all("/api/referrals/referrals", by=COORDINATOR))
    found["peers"] = len(list(api.all("/api/matching/peers", by=COORDINATOR)))
    return found
