"""Rows of pairs who met before Kindred: the person, what they agreed to, and their peer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from deploy.importing.kinds import ADDED, UNCHANGED, Kind, accepted, uuid_of
from deploy.importing.peers import identity_of
from deploy.importing.table import Row, WrongRow
from deploy.region.api import Account, Api

_PATH = "/api/referrals/taken-over-referrals"
_PEERS = "/api/matching/peers"
_NOON = time(12)


@dataclass(frozen=True)
class Pair:
    clinic: str
    peer_organisation: str
    peer: str
    body: dict[str, Any]


def parse(row: Row) -> Pair:
    zone, received = row.needed("time_zone"), row.day("received_on")
    client = {
        "given_name": row.needed("given_name"),
        "family_name": row.needed("family_name"),
        "birth_date": row.needed("birth_date"),
        "record_number": row.needed("record_number"),
        "email": row.text("email"),
        "phone": row.text("phone"),
        "languages": row.texts("languages"),
        "postal_code": row.needed("postal_code"),
        "time_zone": zone,
    }
    consent = {
        "given_on": row.needed("consent_given_on"),
        "until": row.text("consent_until"),
    }
    body = {
        "external_reference": f"import/{client['record_number']}",
        "client": {name: value for name, value in client.items() if value},
        "consent": {name: value for name, value in consent.items() if value},
        "modes": row.texts("modes"),
        "topics": row.texts("topics"),
        "mode": row.needed("mode"),
        "received_at": _noon(row, received, zone),
    }
    found = Pair(
        uuid_of(row, "clinic"), uuid_of(row, "peer_organisation"), row.needed("peer"), body
    )
    row.check()
    return found


def _noon(row: Row, day: date | None, zone: str) -> str:
    """Of that day where the person lives: nobody remembers the hour."""
    try:
        place = ZoneInfo(zone)
    except (ValueError, OSError):
        row.problems.append("time_zone is not known")
        return ""
    moment = datetime.combine(day, _NOON, tzinfo=place) if day else datetime.now(UTC)
    return moment.astimezone(UTC).isoformat()


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
    (
        "clinic",
        "record_number",
        "given_name",
        "family_name",
        "birth_date",
        "email",
        "phone",
        "languages",
        "postal_code",
        "time_zone",
        "modes",
        "topics",
        "received_on",
        "consent_given_on",
        "consent_until",
        "peer_organisation",
        "peer",
        "mode",
    ),
    "pairs who met before; peer is the peer's e-mail or phone, the same pair is by clinic and "
    "record_number",
    parse,
    Pairs,
    together=lambda pair: pair.clinic,
)
