"""What a clinic and a coordinator see of referrals, and the steps that they take from there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.chassis.http.forms import SEEN_FIELD, errors_by_field, role_of, take_step
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Pages, Words, in_the_way
from services.chassis.problems import PreconditionFailed, Problem
from services.chassis.roles import CLINIC, COORDINATOR
from services.chassis.service import Route
from services.chassis.work import Work
from services.referrals.domain.progress import CONSENTED, OPEN, Status, can_reopen
from services.referrals.handlers.read import list_referrals, own_referral
from services.referrals.handlers.view import Kept, whole
from services.referrals.pages import wording
from services.referrals.repository.clinics import Clinics
from services.referrals.repository.referrals import Referrals, Row

PAGES: Final = Pages(Path(__file__).parents[1] / "templates")
_DIGITS: Final = 6  # nobody has seen a million steps
LISTS: Final = ("asked_for", "scope")
_FIELDS: Final = ("reason", "asked_for", "text", "given_on", "until", "scope", "content")


def show_list(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    listed = list_referrals(request, work)
    clinics = clinics_of(work)
    today = {id_: work.now.astimezone(ZoneInfo(one["time_zone"])) for id_, one in clinics.items()}
    rows = [
        {
            "row": row,
            "name": name_of(row["client"]),
            "clinic": clinics[row["clinic_id"]]["name"],
            "received": words.moment(row["received_at"], clinics[row["clinic_id"]]["time_zone"]),
            "next": row["next_date"] and words.day(row["next_date"]),
            "is_late": bool(row["next_date"] and row["next_date"] < today[row["clinic_id"]].date()),
        }
        for row in listed.body
    ]
    html = PAGES.visited(
        "list.html",
        request,
        words=words,
        wording=wording,
        rows=rows,
        counts=Referrals(work.connection).counts(work.orgs),
        chosen=request.query["status"],
        following=listed.next_cursor,
        asking=[f"/referrals/self/{id_}" for id_ in clinics] if len(clinics) == 1 else [],
        many_clinics=len(clinics) > 1,
        zones=sorted({one["time_zone"] for one in clinics.values()}),
    )
    return Answer(html=html)


def show(request: Request, work: Work) -> Answer:
    return _referral(request, work, {})


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    """The referral as it is now, with what could not be done and what was typed."""
    words = Words(PAGES, request.language)
    return _referral(request, work, errors_by_field(problem.errors, _FIELDS, words), problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    """Take the step that the form names; back to the referral as it then is."""
    take_step(request, work, routes, LISTS)
    return Answer(location=f"/referrals/{request.path['referral_id']}")


def name_of(client: Mapping[str, Any]) -> str:
    names = client.get("preferred_name") or client["given_name"], client["family_name"]
    return " ".join(names)


def _referral(
    request: Request, work: Work, errors: Mapping[str, str], problem: Problem | None = None
) -> Answer:
    words, role = Words(PAGES, request.language), role_of(request)
    row = own_referral(request, work)
    seen = whole(row, work, Kept.of(row["id"], work))
    clinic = clinics_of(work)[row["clinic_id"]]
    status = Status(row["status"])
    steps = _steps(seen["timeline"], words, clinic["time_zone"])
    html = PAGES.visited(
        "referral.html",
        replace(request, form=request.form if problem else Form()),
        words=words,
        wording=wording,
        referral=seen,
        name=name_of(row["client"]),
        clinic=clinic,
        errors=errors,
        told=in_the_way(problem, request.language),
        steps=steps,
        news=_news(steps, request, problem),
        received=words.moment(row["received_at"], clinic["time_zone"]),
        born=_born(row["client"], words),
        is_open=status in OPEN,
        may_triage=role is COORDINATOR and status is Status.SUBMITTED,
        may_reopen=role is COORDINATOR and can_reopen(status, _declined_at(seen), work.now),
        may_answer=role is CLINIC and status is Status.INFORMATION_REQUESTED,
        may_pause=status in CONSENTED and seen["pause"] is None,
        may_consent=status is Status.AWAITING_CONSENT,
        is_coordinator=role is COORDINATOR,
    )
    return Answer(html=html)


def _declined_at(seen: Mapping[str, Any]) -> datetime | None:
    times = [step["at"] for step in seen["timeline"] if step["step"] == "declined"]
    return max(times, default=None)


def _born(client: Mapping[str, Any], words: Words) -> str | None:
    birth_date = client.get("birth_date")
    return words.day(date.fromisoformat(birth_date)) if birth_date else client.get("age_band")


def _news(
    steps: Sequence[dict[str, str]], request: Request, problem: Problem | None
) -> Sequence[dict[str, str]]:
    """For whoever came too late: what others did since the page was shown, the latest first."""
    seen = request.form.get(SEEN_FIELD, "")
    if not isinstance(problem, PreconditionFailed) or not seen.isdecimal() or len(seen) > _DIGITS:
        return ()
    return steps[: max(0, len(steps) - int(seen))]


def _steps(timeline: Sequence[Row], words: Words, zone: str) -> list[dict[str, str]]:
    return [
        {
            "at": step["at"].isoformat(timespec="seconds"),
            "when": words.moment(step["at"], zone),
            "what": words.of(wording.STEP, step["step"]),
            "by": words.of(wording.ROLE, step["by_role"]),
            "why": _why(step, words),
        }
        for step in reversed(timeline)
    ]


def _why(step: Row, words: Words) -> str:
    details = step["details"]
    if step["step"] == "information-requested":
        return words.all(wording.INFORMATION, details.get("asked_for", []))
    table = wording.DECLINE if step["step"] == "declined" else wording.WITHDRAW
    reason = details.get("reason")
    return words.of(table, reason) if reason in table else ""


def clinics_of(work: Work) -> dict[Any, Row]:
    found = Clinics(work.connection).page(work.orgs, None, len(work.orgs) + 1)
    return {clinic["id"]: clinic for clinic in found}
