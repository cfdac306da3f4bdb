"""The demo region and its walk, as `make demo` uses them."""

import time

from deploy import region
from deploy.region import demo_file
from deploy.region.accounts import COORDINATOR
from deploy.region.api import Api
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
