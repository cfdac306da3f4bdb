"""What the gateway puts into a referral's page: its messages and their fate, for its staff."""

from collections.abc import Mapping
from typing import Any

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.work import Work
from services.notifications.domain.kinds import State
from services.notifications.handlers.ledger import view_of
from services.notifications.pages import wording
from services.notifications.pages.unreached import PAGES, zone_of
from services.notifications.repository.ledger import Ledger

_SHOWN = 100


def list_of_referral(request: Request, work: Work) -> Answer:
    """The latest first; a referral of other organisations has none, like one that is missing."""
    words = Words(PAGES, request.language)
    ledger = Ledger(work.connection)
    found = ledger.latest(view_of(request), request.path["referral_id"], _SHOWN)
    clinics = known(work, {row["clinic_id"] for row in found})
    html = PAGES.render(
        "messages-of-referral.html",
        language=request.language,
        rows=[_row(row, zone_of(row, clinics), words) for row in found],
        zones=sorted({zone_of(row, clinics) for row in found}),
        with_staff=any(row["state"] in _WITH_STAFF for row in found),
    )
    return Answer(html=html)


_WITH_STAFF = (State.NEEDS_STAFF, State.UNDELIVERABLE)


def _row(row: Mapping[str, Any], zone: str, words: Words) -> dict[str, str]:
    return {
        "what": words.of(wording.KIND, row["kind"]),
        "to": words.of(wording.RECIPIENT, row["recipient_role"]),
        "when": words.moment(row["delivered_at"] or row["not_before"], zone),
        "state": words.of(wording.STATE, row["state"]),
    }
