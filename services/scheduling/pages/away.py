"""For coordinators: whose peer will be away, what they would like, and who could stand in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from services.chassis.cursors import decode, page_of
from services.chassis.http.forms import take_step
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.scheduling.domain.leave import Leave, Question
from services.scheduling.domain.sessions import Session
from services.scheduling.handlers.access import caller_of
from services.scheduling.handlers.leave import free_peers, to_be_covered
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Leaves, Questions

# Each row has a part of another service; a page of hundreds must not be made of them.
_SHOWN: Final = 15


def show_list(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    cursor = request.query["cursor"]
    after = decode(cursor, datetime, UUID, UUID) if cursor else None
    found = Questions(work.connection).open_in(
        sorted(caller_of(request).orgs),
        work.now,
        (after[0], after[1], after[2]) if after else None,
        _SHOWN + 1,
    )
    page, following = page_of(found, _SHOWN, lambda one: (one[0], one[1].leave_id, one[1].id))
    rows = [_row(question, words, work) for _, question in page]
    leaves = [list(same) for _, same in groupby(rows, key=lambda row: row["leave_id"])]
    html = PAGES.visited("away.html", request, leaves=leaves, following=following)
    return Answer(html=html)


def show_one(request: Request, work: Work) -> Answer:
    return _one(request, work, None)


def show_one_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _one(request, work, problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    """Note what the person said, or give one of the sessions to another peer."""
    question, leave = _question(request, work)
    form = request.form
    if form.get("act") == "cover":
        path = {"session_id": _session_id(question, form.get("session_id", ""))}
        form = form.without("session_id")
    else:
        path = {"leave_id": leave.id}
        form = Form([*form.pairs(), ("match_id", str(question.match_id))])
    take_step(replace(request, form=form), work, routes, path=path)
    return Answer(location=f"/scheduling/away/{question.id}")


def _question(request: Request, work: Work) -> tuple[Question, Leave]:
    """What is asked in one of the caller's peer organisations; others' looks like a missing one."""
    question = Questions(work.connection).find(request.path["question_id"])
    if question is None or question.peer_organisation_id not in caller_of(request).orgs:
        raise NotFound
    leave = Leaves(work.connection).find(question.leave_id)
    if leave is None:
        raise NotFound
    return question, leave


def _session_id(question: Question, text: str) -> UUID:
    found = next((one for one in question.session_ids if str(one) == text), None)
    if found is None:
        raise NotFound
    return found


def _one(request: Request, work: Work, problem: Problem | None) -> Answer:
    words = Words(PAGES, request.language)
    question, leave = _question(request, work)
    told = in_the_way(problem, request.language)
    sessions = to_be_covered(question, work)
    html = PAGES.visited(
        "away-one.html",
        request,
        one=_row(question, words, work),
        version=leave.version,
        wishes=words.options(wording.SAID),
        sessions=[_session(session, words, work) for session in sessions],
        zones=sorted({session.time_zone for session in sessions}),
        wants_cover=question.wish == "cover",
        told=told,
    )
    return Answer(html=html)


def _row(question: Question, words: Words, work: Work) -> dict[str, Any]:
    leave = Leaves(work.connection).find(question.leave_id)
    return {
        "id": question.id,
        "leave_id": question.leave_id,
        "referral_id": question.referral_id,
        "peer_id": question.peer_id,
        "first_day": words.day(leave.first_day) if leave else "",
        "last_day": words.day(leave.last_day) if leave else "",
        "said": words.of(wording.SAID, question.wish) or words(wording.NOT_SAID),
        "wish": question.wish,
        "uncovered": len(to_be_covered(question, work)),
    }


def _session(session: Session, words: Words, work: Work) -> dict[str, Any]:
    return {
        "id": session.id,
        "version": session.version,
        "when": words.moment(session.starts_at, session.time_zone),
        "mode": words.of(wording.MODE, session.mode),
        "free": free_peers(session, work),
    }
