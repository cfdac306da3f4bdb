"""Rows of people who wait already: they keep the day on which they came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.importing.clients import PERSON_COLUMNS, body_of, consent_of
from deploy.importing.kinds import ADDED, UNCHANGED, Kind, accepted, uuid_of
from deploy.importing.table import Row
from deploy.region.api import Account, Api

_PATH = "/api/referrals/waiting-referrals/many"
_ACCEPTED: Final = {"yes": True, "no": False, "": False}


@dataclass(frozen=True)
class Waiting:
    clinic: str
    body: dict[str, Any]


def parse(row: Row) -> Waiting:
    body = body_of(row)
    given_on, taken_on = row.text("consent_given_on"), (row.text("accepted") or "").lower()
    if given_on:
        body["consent"] = consent_of(row, given_on)
    if urgency := row.text("urgency"):
        body["urgency"] = urgency
    if taken_on not in _ACCEPTED:
        row.problems.append("accepted is neither yes nor no")
    body["accepted"] = _ACCEPTED.get(taken_on, False)
    found = Waiting(uuid_of(row, "clinic"), body)
    row.check()
    return found


class WaitingList:
    def __init__(self, api: Api, rows: Iterable[Waiting]) -> None:
        self.api = api
        clinics = sorted({row.clinic for row in rows})
        self.account = Account("operator", "import", tuple(clinics))

    def bring(self, row: Waiting) -> str:
        body = {"referrals": [{**row.body, "clinic_id": row.clinic}]}
        reply = accepted(self.api.call("POST", _PATH, by=self.account, body=body))
        return _outcomes(reply.body)[0]

    def bring_many(self, rows: Sequence[Waiting]) -> list[str] | None:
        body = {"referrals": [{**row.body, "clinic_id": row.clinic} for row in rows]}
        reply = self.api.call("POST", _PATH, by=self.account, body=body)
        return _outcomes(reply.body) if reply.status == 201 else None

    def complete(self, _: Waiting, outcome: str) -> str:
        return outcome


def _outcomes(body: dict[str, Any]) -> list[str]:
    return [ADDED if one["added"] else UNCHANGED for one in body["referrals"]]


KIND = Kind(
    (*PERSON_COLUMNS, "urgency", "accepted"),
    "people who wait already and keep their day; the same person is by clinic and record_number",
    parse,
    WaitingList,
    together=lambda row: row.clinic,
)
