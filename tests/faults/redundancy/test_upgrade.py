"""Two releases side by side under load: upgraded replica by replica, and rolled back again."""

import signal
from collections import Counter
from itertools import product

import pytest

from deploy.machine.service_processes import Place
from tests.acceptance.running import eventually
from tests.faults.next_release import CHANGED_SERVICES, expand, make_next_release
from tests.faults.redundant import REPLICAS, Load, Redundant, assert_nothing_lost
from tests.faults.releases import release_file

_READY_SECONDS = 60.0


def places(system: Redundant, replica: int) -> list[Place]:
    """Where this replica of every changed service runs."""
    processes = system.processes()
    return [
        Place(service, role, replica, processes[f"{service}.{role}.{replica}"]["ports"])
        for service, role in product(CHANGED_SERVICES, ("web", "worker"))
    ]


def roll(system: Redundant, replica: int, folder: str | None) -> None:
    """Have one replica's processes start again, of the release in the folder."""
    rolled = places(system, replica)
    before = {place.name: system.identity(place.name) for place in rolled}
    for place in rolled:
        where = release_file(system.run, place.name)
        where.parent.mkdir(exist_ok=True)
        where.write_text(folder) if folder else where.unlink(missing_ok=True)
        before[place.name].send(signal.SIGTERM)
    for place in rolled:
        system.wait_until_back(place.name, before[place.name])
    for place in rolled:
        eventually(place.is_ready, f"{place.name} is ready", seconds=_READY_SECONDS)


@pytest.mark.timeout(400, func_only=True)
def test_an_upgrade_and_its_rollback_replica_by_replica_lose_nothing_under_load(
    redundant: Redundant,
) -> None:
    folder = make_next_release(redundant.run_folder / "next-release")
    replicas = range(1, REPLICAS + 1)

    with Load(redundant, "qze") as load:
        admin = redundant.database_dsn("matching", "postgres", redundant.secret("postgres"))
        expand(folder, "matching", admin)
        # Producers and consumers of both releases meet in every combination.
        for replica in replicas:
            roll(redundant, replica, str(folder))
        load.seconds_until_served()
        for replica in replicas:
            roll(redundant, replica, None)
        load.seconds_until_served()

    assert_nothing_lost(redundant, load)
    versions = sent_versions(redundant)
    assert versions["v1"] >= len(load.accepted)
    assert versions["v2"] > 0
    times = redundant.rows("matching", "SELECT accepted_at FROM needs WHERE accepted")
    assert len(times) >= len(load.accepted)
    assert any(row["accepted_at"] for row in times)
    assert told_twice(redundant) == []


def sent_versions(system: Redundant) -> Counter[str]:
    query = "SELECT type FROM outbox_sent WHERE starts_with(type, 'referral.accepted.')"
    rows = system.rows("referrals", query)
    return Counter(row["type"].rpartition(".")[2] for row in rows)


def told_twice(system: Redundant) -> list[dict[str, object]]:
    """Referrals of whose acceptance a clinic was told more than once."""
    query = """
        SELECT referral_id FROM messages WHERE kind = 'referral-accepted'
         GROUP BY referral_id HAVING count(*) > 1
    """
    return system.rows("notifications", query)
