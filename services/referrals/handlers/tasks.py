"""What waits for a coordinator's hand."""

from datetime import datetime
from uuid import UUID

from services.chassis import cursors
from services.chassis.errors import DomainError
from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.referrals.repository.work_records import Row, Tasks


class TaskDone(DomainError):
    slug = "task-done"

    def __init__(self) -> None:
        super().__init__("This task is done already")


def list_tasks(request: Request, work: Work) -> Answer:
    query, limit = request.query, request.query["limit"]
    rows = Tasks(work.connection).page(
        work.orgs,
        is_done=query["done"],
        referral_id=query["referral_id"],
        after=cursors.decode(query["cursor"], datetime, UUID) if query["cursor"] else None,
        limit=limit + 1,
    )
    page, following = cursors.page_of(rows, limit, lambda row: [row["opened_at"], row["id"]])
    return Answer(page, next_cursor=following)


def read_task(request: Request, work: Work) -> Answer:
    task = own_task(request, work)
    return Answer(task, version=task["version"])


def finish_task(request: Request, work: Work) -> Answer:
    task = own_task(request, work)
    request.expects(task["version"])
    if task["done_at"] is not None:
        raise TaskDone
    task |= {"done_at": work.now, "version": task["version"] + 1}
    by = request.caller.subject if request.caller else ""
    Tasks(work.connection).finish(task["id"], at=work.now, by=by, version=task["version"])
    return Answer(task, version=task["version"])


def own_task(request: Request, work: Work) -> Row:
    task = Tasks(work.connection).lock(request.path["task_id"])
    if task is None or task["clinic_id"] not in work.orgs:
        raise NotFound
    return task
