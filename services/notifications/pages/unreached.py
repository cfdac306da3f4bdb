"""What did not reach anybody: told by staff, or sent again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.chassis.http.forms import take_step
from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Pages, Words, in_the_way
from services.chassis.problems import NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.notifications.domain.kinds import Recipient, State
from services.notifications.handlers.ledger import view_of
from services.notifications.pages import wording
from services.notifications.repository.ledger import Ledger

PAGES: Final = Pages(Path(__file__).parents[1] / "templates")
SHOWN: Final = 100


def show(request: Request, work: Work) -> Answer:
    return _list(request, work, None)


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _list(request, work, problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    try:
        message_id = UUID(request.form.get("message_id", ""))
    except ValueError:
        raise NotFound from None
    form = replace(request, form=request.form.without("message_id"))
    take_step(form, work, routes, path={"id": message_id})
    return Answer(location="/notifications/")


def count(request: Request, work: Work) -> Answer:
    """The number alone, put into the coordinator's first page."""
    found = len(Ledger(work.connection).unreached(view_of(request), now=work.now, limit=SHOWN + 1))
    return Answer(html=str(found) if found <= SHOWN else f"{SHOWN}+")


def _list(request: Request, work: Work, problem: Problem | None) -> Answer:
    words = Words(PAGES, request.language)
    found = Ledger(work.connection).unreached(view_of(request), now=work.now, limit=SHOWN)
    clinics = known(work, {row["clinic_id"] for row in found})
    html = PAGES.visited(
        "unreached.html",
        request,
        rows=[_row(row, clinics, words) for row in found],
        told=in_the_way(problem, request.language),
        zones=sorted({zone_of(row, clinics) for row in found}),
    )
    return Answer(html=html)


def _row(row: Mapping[str, Any], clinics: Mapping[UUID, Any], words: Words) -> dict[str, Any]:
    needs_staff = row["state"] == State.NEEDS_STAFF
    why = words.of(wording.REASON, row["reason"])
    if needs_staff:
        why = words.of(wording.CHANNEL, row["channel"])
    return {
        "id": row["id"],
        "version": row["version"],
        "referral_id": row["referral_id"],
        "what": words.of(wording.KIND, row["kind"]),
        "to": words.of(wording.RECIPIENT, row["recipient_role"]),
        "why": why,
        "when": words.moment(row["planned_at"], zone_of(row, clinics)),
        "needs_staff": needs_staff,
        "has_slip": row["recipient_role"] == Recipient.CLIENT,
    }


def zone_of(row: Mapping[str, Any], clinics: Mapping[UUID, Any]) -> str:
    clinic = clinics.get(row["clinic_id"])
    return clinic["time_zone"] if clinic else "UTC"
