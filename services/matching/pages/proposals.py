"""What is proposed for all who wait together: each pair leads to where its offer is made."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.work import Work
from services.matching.pages.links import PAGES
from services.matching.repository.proposals import Proposals

SHOWN: Final = 200
Row = dict[str, Any]


def show(request: Request, work: Work) -> Answer:
    """The latest proposal, as far as it is about people of clinics that the reader serves."""
    words = Words(PAGES, request.language)
    clinics = known(work, work.orgs)
    proposals = Proposals(work.connection)
    latest = proposals.latest()
    served = set(work.orgs)
    work.act_for_all("peer-organisation")  # a pair names a peer of any of them
    rows = proposals.still_open(latest["id"], SHOWN + 1) if latest else []
    rows = [row for row in rows if row["clinic_id"] in served]
    zones = sorted({_zone(row["clinic_id"], clinics) for row in rows})
    html = PAGES.visited(
        "proposals.html",
        request,
        made=latest and words.moment(latest["made_at"], zones[0] if zones else "UTC"),
        zone=zones[0] if zones else "UTC",
        is_best=latest is not None and latest["is_best"],
        rows=[_row(row, clinics, words, work.now) for row in rows[:SHOWN]],
        has_more=len(rows) > SHOWN,
        shown=SHOWN,
    )
    return Answer(html=html)


def _row(row: Row, clinics: Mapping[UUID, Any], words: Words, now: datetime) -> Row:
    clinic = clinics.get(row["clinic_id"])
    return {
        "referral_id": row["referral_id"],
        "peer_id": row["peer_id"],
        "version": row["version"],
        "received": words.moment(row["received_at"], _zone(row["clinic_id"], clinics)),
        "days": (now - row["received_at"]).days,
        "clinic": clinic["name"] if clinic else "",
        "peer": row["display_name"],
        "position": row["position"],
    }


def _zone(clinic_id: UUID, clinics: Mapping[UUID, Any]) -> str:
    clinic = clinics.get(clinic_id)
    return clinic["time_zone"] if clinic else "UTC"
