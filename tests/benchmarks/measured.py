"""A whole system to measure: started by `make up`'s own code in a run folder of its own."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.region.api import Account, Api
from tests.acceptance.running import SERVICES, Running, eventually

RUNS = REPOSITORY / ".run" / "bench"
TIME_ZONE = "America/Chicago"
_REGION = UUID("9b1d1f4e-58c0-4c5f-8a44-0d6c3f0f7a51")
_POSTAL_CODES = ("74103", "74104", "74105", "74106", "74107", "74012", "74066", "74033")
_TOPICS = ("alcohol", "grief", "housing", "parenting", "isolation", "opioids", "veteran")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLINICS, PEER_ORGANISATIONS, PEERS = 8, 4, 100
# As many as a peer may have, so that a long measurement never runs out of places.
_CAPACITY = 200


@dataclass(frozen=True)
class Measured(Running):
    """A running system with as many replicas of every service as are measured."""

    replicas_of_each: int = 1

    @property
    def environment(self) -> dict[str, str]:
        # With the probe, as the system comes: its process counts in the memory.
        as_it_comes = {"KINDRED_PROBE_SECONDS": "300"}
        # Nobody is killed for being stopped while others are measured, or slow under full load.
        patient = {"KINDRED_LIVE_SECONDS": "120"}
        replicas = {"KINDRED_REPLICAS": str(self.replicas_of_each)}
        return {**super().environment, **as_it_comes, **patient, **replicas}


@contextmanager
def measured(name: str, replicas: int = 1) -> Iterator[Measured]:
    """A fresh system, stopped and removed afterwards."""
    system = Measured(RunFolder(RUNS / name), replicas_of_each=replicas)
    system.clean()
    try:
        system.up()
        yield system
    finally:
        system.clean()


@dataclass(frozen=True)
class Region:
    """Eight clinics and four peer organisations with a hundred peers, who have hours all week."""

    clinic_ids: Sequence[str]
    peer_organisation_ids: Sequence[str]

    @property
    def coordinator(self) -> Account:
        orgs = (*self.clinic_ids, *self.peer_organisation_ids)
        return Account("coordinator", "bench-coordinator", orgs)

    def clinic(self, number: int) -> Account:
        clinic_id = self.clinic_ids[number % len(self.clinic_ids)]
        return Account("clinic", f"bench-clinic-{clinic_id}", (clinic_id,))

    def client(self, clinic_id: str, client_id: str) -> Account:
        return Account("client", f"bench-client-{client_id}", (clinic_id,), client_id)

    def peer(self, organisation_id: str, peer_id: str) -> Account:
        return Account("peer", f"bench-peer-{peer_id}", (organisation_id,), peer_id)


def open_region(system: Measured) -> Region:
    """Register everybody through the public interface, and wait until everyone has heard of it."""
    region = Region(_ids("clinic", CLINICS), _ids("organisation", PEER_ORGANISATIONS))
    api = Api(system)
    operator = Account("operator", "bench-operator", region.coordinator.orgs)
    named = {"time_zone": TIME_ZONE, "area": "Tulsa"}
    for clinic_id in region.clinic_ids:
        body = {**named, "name": "Measured Clinic", "email": f"desk-{clinic_id}@clinics.example"}
        path = f"/api/referrals/clinics/{clinic_id}"
        api.call("PUT", path, by=operator, body=body).expect()
    for organisation_id in region.peer_organisation_ids:
        path = f"/api/matching/peer-organisations/{organisation_id}"
        body = {**named, "name": "Measured Peers"}
        api.call("PUT", path, by=operator, body=body).expect()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: _add_peer(api, region, number), range(PEERS)))
    eventually(lambda: _is_known(system), "every service knows the region", seconds=60)
    return region


def _add_peer(api: Api, region: Region, number: int) -> None:
    organisation_id = region.peer_organisation_ids[number % PEER_ORGANISATIONS]
    body = {
        "organisation_id": organisation_id,
        "display_name": f"Measured Peer {number}",
        "email": f"peer-{number}@peers.example",
        "languages": ["en"],
        "postal_code": _POSTAL_CODES[number % len(_POSTAL_CODES)],
        "modes": ["in-person", "video", "phone"],
        "topics": [_TOPICS[number % 7], _TOPICS[(number + 3) % 7]],
        "capacity": _CAPACITY,
        "certified_until": (datetime.now(UTC).date() + timedelta(days=700)).isoformat(),
        "time_zone": TIME_ZONE,
    }
    added = api.call("POST", "/api/matching/peers", by=region.coordinator, body=body).expect(201)
    peer_id = str(added.body["id"])
    weekly = [{"day": day, "from": "00:00", "to": "24:00"} for day in _DAYS]
    hours: dict[str, Any] = {"time_zone": TIME_ZONE, "weekly": weekly, "exceptions": []}
    path = f"/api/scheduling/people/{peer_id}/availability"
    api.call("PUT", path, by=region.peer(organisation_id, peer_id), body=hours).expect()


def _is_known(system: Measured) -> bool:
    query = "SELECT count(*) AS known FROM organisations"
    known = (system.rows(service, query)[0]["known"] for service in SERVICES)
    return all(count >= CLINICS + PEER_ORGANISATIONS for count in known)


def _ids(kind: str, count: int) -> list[str]:
    return [str(uuid5(_REGION, f"{kind} {number}")) for number in range(count)]
