"""`.run/demo.json`: the demo's organisations, accounts and peers, for people and for tests."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.machine.run_folder import read_json, write_json
from deploy.region.accounts import every_account
from deploy.region.api import Account
from deploy.region.people import CLINICS, PEER_ORGANISATIONS, PEERS

NAME = "demo.json"
_PEER_FACTS = ("id", "display_name", "email", "organisation_id")


def write(folder: Path, peer_ids: Mapping[str, str]) -> None:
    """Write who is there after a load, keeping the client whom an earlier walk brought."""
    clients = [told for told in read(folder)["accounts"] if told["role"] == "client"]
    told = {
        "organisations": [
            {"id": organisation.id, "kind": organisation.kind, "name": organisation.name}
            for organisation in (*CLINICS, *PEER_ORGANISATIONS)
        ],
        "accounts": [account.told() for account in every_account(peer_ids)] + clients,
        "peers": [
            {
                "id": peer_ids[peer.slug],
                "display_name": peer.facts["display_name"],
                "email": peer.email,
                "organisation_id": peer.organisation.id,
            }
            for peer in PEERS
        ],
    }
    write_json(folder / NAME, told)


def list_peers(folder: Path, peers: Iterable[Mapping[str, Any]]) -> None:
    """Name every peer of the region; an account to sign in with only the first ones have."""
    told = [{name: peer[name] for name in _PEER_FACTS} for peer in peers]
    write_json(folder / NAME, read(folder) | {"peers": told})


def add_client(folder: Path, client: Account) -> None:
    """Put the walk's client in, in the place of an earlier walk's."""
    told = read(folder)
    others = [account for account in told["accounts"] if account["role"] != "client"]
    write_json(folder / NAME, told | {"accounts": [*others, client.told()]})


def read(folder: Path) -> dict[str, Any]:
    empty: dict[str, Any] = {"organisations": [], "accounts": [], "peers": []}
    return empty | read_json(folder / NAME)
