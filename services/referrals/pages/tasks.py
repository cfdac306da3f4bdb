"""What waits for a coordinator's hand, each with its date."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.http.forms import take_step
from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.referrals.handlers.tasks import list_tasks
from services.referrals.pages import wording
from services.referrals.pages.console import PAGES, clinics_of, name_of
from services.referrals.repository.referrals import Referrals


def show(request: Request, work: Work) -> Answer:
    return _list(request, work, None)


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _list(request, work, problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    try:
        task_id = UUID(request.form.get("task_id", ""))
    except ValueError:
        raise NotFound from None
    form = replace(request, form=request.form.without("task_id"))
    take_step(form, work, routes, path={"task_id": task_id})
    return Answer(location="/referrals/tasks")


def _list(request: Request, work: Work, problem: Problem | None) -> Answer:
    words = Words(PAGES, request.language)
    listed = list_tasks(request, work)
    clinics = clinics_of(work)
    found = Referrals(work.connection).find(ids=[row["referral_id"] for row in listed.body])
    names = {row["id"]: name_of(row["client"]) for row in found}
    html = PAGES.visited(
        "tasks.html",
        request,
        rows=[_row(row, names, clinics, words, work) for row in listed.body],
        told=in_the_way(problem, request.language),
        following=listed.next_cursor,
    )
    return Answer(html=html)


def _row(
    row: Mapping[str, Any],
    names: Mapping[UUID, str],
    clinics: Mapping[Any, Any],
    words: Words,
    work: Work,
) -> dict[str, Any]:
    clinic = clinics[row["clinic_id"]]
    today = work.now.astimezone(ZoneInfo(clinic["time_zone"])).date()
    return {
        "id": row["id"],
        "version": row["version"],
        "referral_id": row["referral_id"],
        "name": names.get(row["referral_id"], ""),
        "what": words.of(wording.TASK, row["kind"]),
        "clinic": clinic["name"],
        "due": words.day(row["due_on"]),
        "is_late": row["due_on"] < today,
    }
