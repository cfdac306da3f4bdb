"""What matching asks of referrals, before a transaction begins."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.chassis.events import Received
from services.chassis.http.request import Preparation, Request
from services.chassis.internal import Directory
from services.chassis.work import Work
from services.matching.repository.matches import Matches
from services.matching.repository.needs import Needs
from services.matching.schemas.heard import NeedsSchema

Row = dict[str, Any]
PURPOSE: Final = "matching"
IDS_AT_ONCE: Final = 200
_NEEDS: Final = NeedsSchema()


def needs(received: Sequence[Received], directory: Directory) -> Mapping[UUID, Row]:
    """By event: what its referral needs, where consent allows matching; others are left out."""
    asked = [event for event in received if event.data.get("needs_changed", True)]
    clinics = {event.subject: event.orgs for event in asked}
    known = ask_needs(directory, clinics)
    return {event.id: known[event.subject] for event in asked if event.subject in known}


def acceptance(request: Request, preparation: Preparation) -> bool:
    """Whether referrals says "accepted" while matching has not heard the event yet."""
    referral_id = request.path["referral_id"]

    def unheard(work: Work) -> UUID | None:
        match = Matches(work.connection).latest(referral_id)
        need = Needs(work.connection).find(referral_id)
        return match.clinic_id if match and need and not need["accepted"] else None

    clinic_id = preparation.read(unheard)
    if clinic_id is None:
        return False
    known = ask_needs(preparation.directory, {referral_id: (clinic_id,)})
    return bool(known.get(referral_id, {}).get("accepted"))


def ask_needs(directory: Directory, clinics: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, Row]:
    """The needs of referrals, given with the organisations to ask for."""
    found: dict[UUID, Row] = {}
    ids = sorted(clinics)
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        answer = directory.ask(
            "referrals",
            "/internal/needs",
            purpose=PURPOSE,
            orgs={org for referral_id in some for org in clinics[referral_id]},
            body={"ids": some},
        )
        for need in _NEEDS.load(answer)["needs"]:
            found[need["referral_id"]] = _as_stored(need)
    return found


def _as_stored(need: Row) -> Row:
    wishes = need.pop("preferences") or {}
    return {
        **need,
        "topics": _folded(need["topics"]),
        "access_needs": _folded(need["access_needs"]),
        "peer_genders": wishes.get("peer_gender") or [],
        "peer_age_bands": wishes.get("peer_age_band") or [],
    }


def _folded(codes: Iterable[str]) -> list[str]:
    return sorted({code.strip().casefold() for code in codes})
