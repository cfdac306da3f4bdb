"""Rows of organisations: clinics go to referrals, peer-run organisations to matching."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.importing.kinds import Kind, put, uuid_of
from deploy.importing.table import Row
from deploy.region.api import Account, Api

_PATHS = {
    "clinic": "/api/referrals/clinics",
    "peer-organisation": "/api/matching/peer-organisations",
}


@dataclass(frozen=True)
class Organisation:
    id: str
    kind: str
    body: dict[str, Any]


def parse(row: Row) -> Organisation:
    kind = row.needed("kind")
    if kind and kind not in _PATHS:
        row.problems.append(f"kind is not one of {', '.join(_PATHS)}")
    body = {"name": row.needed("name"), "time_zone": row.needed("time_zone")}
    area = row.text("area")
    found = Organisation(uuid_of(row, "id"), kind, body | ({"area": area} if area else {}))
    row.check()
    return found


class Organisations:
    def __init__(self, api: Api, rows: Iterable[Organisation]) -> None:
        self.api = api
        ids = sorted({organisation.id for organisation in rows})
        self.account = Account("operator", "import", tuple(ids))

    def bring(self, row: Organisation) -> str:
        return put(self.api, f"{_PATHS[row.kind]}/{row.id}", row.body, by=self.account)

    def bring_many(self, _: Sequence[Organisation]) -> None:
        return None

    def complete(self, _: Organisation, outcome: str) -> str:
        return outcome


KIND = Kind(
    ("id", "kind", "name", "time_zone", "area"),
    "clinics and peer-run organisations; kind is clinic or peer-organisation",
    parse,
    Organisations,
)
