"""Rows of pairs who met before Kindred: the person, what they agreed to, and their peer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.importing.clients import PERSON_COLUMNS, body_of, consent_of
from deploy.importing.kinds import ADDED, UNCHANGED, Kind, accepted, uuid_of
from deploy.importing.peers import identity_of
from deploy.importing.table import Row, WrongRow
from deploy.region.api import Account, Api

_PATH = "/api/referrals/taken-over-referrals"
_PEERS = "/api/matching/peers"


@dataclass(frozen=True)
class Pair:
    clinic: str
    peer_organisation: str
    peer: str
    body: dict[str, Any]


def parse(row: Row) -> Pair:
    body = body_of(row) | {
        "consent": consent_of(row, row.needed("consent_given_on")),
        "mode": row.needed("mode"),
    }
    found = Pair(
        uuid_of(row, "clinic"), uuid_of(row, "peer_organisation"), row.needed("peer"), body
    )
    row.check()
    return found


class Pairs:
    def __init__(self, api: Api, rows: Iterable[Pair]) -> None:
        self.api = api
        found = list(rows)
        organisations = {pair.peer_organisation for pair in found}
        clinics = {pair.clinic for pair in found}
        self.account = Account("operator", "import", tuple(sorted(clinics | organisations)))
        reader = Account("coordinator", "import", tuple(sorted(organisations)))
        self._peers: dict[tuple[str, str], str] = {}
        for peer in api.all(_PEERS, by=reader):
            for email, phone in ((peer["email"], None), (None, peer["phone"])):
                identity = identity_of(peer["organisation_id"], email, phone)
                self._peers.setdefault(identity, peer["id"])

    def _body(self, row: Pair) -> dict[str, Any] | None:
        email = row.peer if "@" in row.peer else None
        phone = None if email else row.peer
        peer_id = self._peers.get(identity_of(row.peer_organisation, email, phone))
        named = {"peer_id": peer_id, "peer_organisation_id": row.peer_organisation}
        return {**row.body, **named, "clinic_id": row.clinic} if peer_id else None

    def bring(self, row: Pair) -> str:
        body = self._body(row)
        if body is None:
            raise WrongRow("peer is not known in this organisation")
        reply = accepted(self.api.call("POST", _PATH, by=self.account, body=body))
        return ADDED if reply.status == 201 else UNCHANGED

    def bring_many(self, rows: Sequence[Pair]) -> list[str] | None:
        bodies = [self._body(row) for row in rows]
        if None in bodies:
            return None
        reply = self.api.call("POST", f"{_PATH}/many", by=self.account, body={"pairs": bodies})
        if reply.status != 201:
            return None
        return [ADDED if one["added"] else UNCHANGED for one in reply.body["referrals"]]

    def complete(self, _: Pair, outcome: str) -> str:
        return outcome


KIND = Kind(
    (*PERSON_COLUMNS, "peer_organisation", "peer", "mode"),
    "pairs who met before; peer is the peer's e-mail or phone, the same pair is by clinic and "
    "record_number",
    parse,
    Pairs,
    together=lambda pair: pair.clinic,
)
