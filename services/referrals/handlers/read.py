"""Reading referrals: one with its timeline, or the list of those that the caller may see."""

from datetime import datetime
from uuid import UUID

from services.chassis import cursors
from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.roles import CLIENT
from services.chassis.work import Work
from services.referrals.handlers.view import referral_answer, summary
from services.referrals.repository.referrals import Referrals, Row


def read_referral(request: Request, work: Work) -> Answer:
    return referral_answer(own_referral(request, work), work)


def own_referral(request: Request, work: Work) -> Row:
    """Find the referral, if it is one that the caller is concerned with."""
    caller = request.caller
    found = Referrals(work.connection).find(ids=[request.path["referral_id"]])
    row = next(iter(found), None)
    if caller is None or row is None or row["clinic_id"] not in work.orgs:
        raise NotFound
    if caller.role is CLIENT and row["client_id"] != caller.person:
        raise NotFound
    return row


def list_referrals(request: Request, work: Work) -> Answer:
    """List newest first; a client without a person's id has nothing to list."""
    caller = request.caller
    if caller is None or (caller.role is CLIENT and caller.person is None):
        raise NotFound
    query, limit = request.query, request.query["limit"]
    rows = Referrals(work.connection).page(
        work.orgs,
        client_id=caller.person if caller.role is CLIENT else None,
        status=query["status"],
        before=cursors.decode(query["cursor"], datetime, UUID) if query["cursor"] else None,
        limit=limit + 1,
    )
    page, following = cursors.page_of(rows, limit, lambda row: [row["received_at"], row["id"]])
    return Answer([summary(row, caller.role) for row in page], next_cursor=following)
