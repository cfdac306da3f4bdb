"""Load the demo region through the public interfaces; a second load adds nothing."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from deploy.region import demo_file
from deploy.region.accounts import COORDINATOR, OPERATOR, peer_account
from deploy.region.api import Account, Api
from deploy.region.people import (
    CLINICS,
    PEER_CERTIFICATES_LAST_DAYS,
    PEER_ORGANISATIONS,
    PEERS,
    ROOMS,
    TIME_ZONE,
    Organisation,
    Peer,
    Room,
)
from deploy.region.system import System

_THREADS = 6
T = TypeVar("T")
R = TypeVar("R")


def load(system: System) -> None:
    """Bring in every clinic, peer organisation, room and peer that is not there yet."""
    api = Api(system)
    certified_until = datetime.now(UTC).date() + timedelta(days=PEER_CERTIFICATES_LAST_DAYS)

    def bring_peer(peer: Peer) -> tuple[str, str]:
        known = already.get(peer.email.casefold())
        return peer.slug, known or _add_peer(api, peer, certified_until.isoformat())

    for_each(lambda clinic: _put_clinic(api, clinic), CLINICS)
    for_each(lambda organisation: _put_peer_organisation(api, organisation), PEER_ORGANISATIONS)
    already = _peers_by_email(api)
    peer_ids = dict(for_each(bring_peer, PEERS))
    for_each(lambda peer: _put_availability(api, peer, peer_ids[peer.slug]), PEERS)
    for_each(lambda room: _put_room(api, room), ROOMS)
    demo_file.write(system.run_folder, peer_ids)


def for_each(bring: Callable[[T], R], those: Iterable[T]) -> list[R]:
    """Some at once, since each waits for answers most of the time."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(bring, those))


def _put(api: Api, path: str, *, by: Account, body: dict[str, Any]) -> None:
    """Put what is missing and leave what is there: a load never undoes what people changed."""
    if api.get(path, by=by).status == 404:
        api.call("PUT", path, by=by, body=body).expect()


def _put_clinic(api: Api, clinic: Organisation) -> None:
    body = {
        "name": clinic.name,
        "time_zone": TIME_ZONE,
        "area": clinic.area,
        "email": f"desk@{clinic.slug}.example",
        "language": "en",
    }
    _put(api, f"/api/referrals/clinics/{clinic.id}", by=OPERATOR, body=body)


def _put_peer_organisation(api: Api, organisation: Organisation) -> None:
    body = {"name": organisation.name, "time_zone": TIME_ZONE, "area": organisation.area}
    path = f"/api/matching/peer-organisations/{organisation.id}"
    _put(api, path, by=OPERATOR, body=body)


def _peers_by_email(api: Api) -> dict[str, str]:
    peers = api.all("/api/matching/peers", by=COORDINATOR)
    return {str(peer.get("email") or "").casefold(): str(peer["id"]) for peer in peers}


def _add_peer(api: Api, peer: Peer, certified_until: str) -> str:
    body = {**peer.facts, "email": peer.email, "certified_until": certified_until}
    reply = api.call("POST", "/api/matching/peers", by=COORDINATOR, body=body).expect(201)
    return str(reply.body["id"])


def _put_availability(api: Api, peer: Peer, peer_id: str) -> None:
    account = peer_account(peer.slug, peer.organisation, peer_id)
    path = f"/api/scheduling/people/{peer_id}/availability"
    body = {"time_zone": TIME_ZONE, "weekly": list(peer.weekly), "exceptions": []}
    _put(api, path, by=account, body=body)


def _put_room(api: Api, room: Room) -> None:
    body = {"organisation_id": room.organisation.id, "name": room.name, "time_zone": TIME_ZONE}
    _put(api, f"/api/scheduling/rooms/{room.id}", by=COORDINATOR, body=body)
