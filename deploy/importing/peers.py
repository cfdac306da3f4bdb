"""Rows of peers, with the hours at which they can be met."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http.client import PRECONDITION_REQUIRED
from typing import Any

from deploy.importing.kinds import (
    ADDED,
    CHANGED,
    REPEATED,
    UNCHANGED,
    Kind,
    accepted,
    differing,
    put,
    same_key,
    uuid_of,
)
from deploy.importing.table import Row, WrongRow
from deploy.region.api import Account, Api

_PATH = "/api/matching/peers"


@dataclass(frozen=True)
class Peer:
    organisation: str
    facts: dict[str, Any]
    availability: dict[str, Any]

    @property
    def identity(self) -> tuple[str, str]:
        return identity_of(self.organisation, self.facts.get("email"), self.facts.get("phone"))


def identity_of(organisation: str, email: str | None, phone: str | None) -> tuple[str, str]:
    """Who counts as the same peer: by organisation and e-mail, or without one by phone."""
    return organisation, email.casefold() if email else phone or ""


def parse(row: Row) -> Peer:
    reached = {name: row.text(name) for name in ("email", "phone")}
    if not any(reached.values()):
        row.problems.append("email and phone are both missing")
    zone = row.needed("time_zone")
    facts = {
        "display_name": row.needed("display_name"),
        **{name: text for name, text in reached.items() if text},
        "languages": row.texts("languages"),
        "postal_code": row.needed("postal_code"),
        "modes": row.texts("modes"),
        "topics": row.texts("topics"),
        "capacity": row.number("capacity"),
        "certified_until": row.needed("certified_until"),
        "time_zone": zone,
    }
    hours = {"time_zone": zone, "weekly": row.hours("availability"), "exceptions": []}
    found = Peer(uuid_of(row, "organisation"), facts, hours)
    row.check()
    return found


class Peers:
    def __init__(self, api: Api, rows: Iterable[Peer]) -> None:
        self.api = api
        self._last = {peer.identity: peer for peer in rows}
        organisations = sorted({peer.organisation for peer in self._last.values()})
        self.account = Account("coordinator", "import", tuple(organisations))
        self._known = {
            identity_of(peer["organisation_id"], peer["email"], peer["phone"]): peer
            for peer in api.all(_PATH, by=self.account)
        }

    def bring(self, row: Peer) -> str:
        if row != self._last[row.identity]:
            return REPEATED
        known = self._known.get(row.identity)
        return self._change(known, row) if known else self._add(row)

    def bring_many(self, rows: Sequence[Peer]) -> list[str] | None:
        """New peers alone; one that is known is compared, and one that repeats is passed over."""
        if any(row.identity in self._known or row != self._last[row.identity] for row in rows):
            return None
        bodies = [{"organisation_id": row.organisation, **row.facts} for row in rows]
        key = {"Idempotency-Key": same_key("peers", *(sorted(body.items()) for body in bodies))}
        path, body = f"{_PATH}/many", {"peers": bodies}
        reply = self.api.call("POST", path, by=self.account, body=body, headers=key)
        if reply.status != 201:
            return None
        for row, added in zip(rows, reply.body["peers"], strict=True):
            self._known[row.identity] = added
        return [ADDED] * len(rows)

    def complete(self, row: Peer, outcome: str) -> str:
        """The hours, once scheduling has heard of the peers; before, it would have to ask."""
        if outcome == REPEATED:
            return outcome
        path = f"/api/scheduling/people/{self._known[row.identity]['id']}/availability"
        if outcome == ADDED and self._set_first_hours(path, row):
            return ADDED
        hours = put(self.api, path, row.availability, by=self.account)
        return outcome if outcome != UNCHANGED or hours == UNCHANGED else CHANGED

    def _set_first_hours(self, path: str, row: Peer) -> bool:
        """Whether they were the first: an import that was cut off may have set them before."""
        reply = self.api.call("PUT", path, by=self.account, body=row.availability)
        if reply.status == PRECONDITION_REQUIRED:
            return False
        accepted(reply)
        return True

    def _add(self, row: Peer) -> str:
        body = {"organisation_id": row.organisation, **row.facts}
        key = {"Idempotency-Key": same_key("peer", sorted(body.items()))}
        reply = self.api.call("POST", _PATH, by=self.account, body=body, headers=key)
        if reply.status == 404:
            raise WrongRow("organisation is not known")
        self._known[row.identity] = accepted(reply).body
        return ADDED

    def _change(self, known: dict[str, Any], row: Peer) -> str:
        """Topics are shown to the peer only: their count tells whether they may differ."""
        visible = {name: value for name, value in row.facts.items() if name != "topics"}
        changes = differing(visible, known)
        if len(row.facts["topics"]) != known.get("topics_given"):
            changes["topics"] = row.facts["topics"]
        if not changes:
            return UNCHANGED
        path = f"{_PATH}/{known['id']}"
        self._known[row.identity] = accepted(
            self.api.change("PATCH", path, by=self.account, body=changes)
        ).body
        return CHANGED


KIND = Kind(
    (
        "display_name",
        "email",
        "phone",
        "languages",
        "postal_code",
        "modes",
        "topics",
        "capacity",
        "certified_until",
        "time_zone",
        "availability",
        "organisation",
    ),
    "peers; lists use ; and availability is like mon 09:00-12:00;wed 13:00-17:00",
    parse,
    Peers,
    together=lambda peer: peer.organisation,
)
