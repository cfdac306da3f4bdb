"""A person's own page: where their referral stands, what comes next, and what they can change.

By the link that every message to them carries, or by their account; both do the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from marshmallow import Schema

from services.chassis import links
from services.chassis.http.forms import as_body, errors_by_field
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.links import Link
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import Gone, Invalid, NotFound, Problem
from services.chassis.work import Work
from services.referrals.domain.consent import ANY_PEER_ORGANISATION
from services.referrals.domain.progress import CONSENTED, Action, Status
from services.referrals.domain.source import Evidence
from services.referrals.events import ReferralWithdrawn
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.consent import end_consent, record_consent
from services.referrals.handlers.follow import WITH_A_PEER
from services.referrals.handlers.pause import ask_for_another_peer, pause, resume
from services.referrals.handlers.view import Kept
from services.referrals.pages import wording
from services.referrals.pages.console import PAGES
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.schemas.requests import ConsentSchema, PauseSchema

_FIELDS: Final = ("reason", "until", "scope")
_ENDED: Final = frozenset({"session-cancelled", "session-outcome"})


@dataclass(frozen=True)
class Reader:
    """Who reads the page, and by what: an account, or the link in a message."""

    language: str
    request: Request
    link: Link | None = None

    def render(self, **facts: Any) -> str:
        if self.link is None:
            return PAGES.visited("own.html", self.request, frame="console.html", **facts)
        words = {"form": self.request.form, "frame": "page.html", "visit": None}
        return PAGES.linked("own.html", self.link, **words, **facts)


def show_mine(request: Request, work: Work) -> Answer:
    return _page(_mine(request, work), Reader(request.language, request), work)


def show_mine_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _page(_mine(request, work), Reader(request.language, request), work, problem)


def act_on_mine(request: Request, work: Work) -> Answer:
    case = Case.of_request(work, _mine(request, work)["id"])
    _step(request)(case, request)
    return Answer(location="/referrals/mine")


def show(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    return _page(_linked(link, work), Reader(link.language, request, link), work)


def use(request: Request, work: Work) -> Answer:
    """Only POST acts; where the step is not possible, the page says so and how things are."""
    link = links.open_link(work, request.path["secret"])
    case = Case.find(work, _linked(link, work)["id"])
    if case is None:
        raise Gone
    if request.form.get("act") == "not-me":
        links.disown(work, link)
        case.dispute_contact()
        return Answer(html=PAGES.linked("disowned.html", link))
    try:
        _step(request)(case, request)
    except Invalid as problem:  # raised before anything was written
        return _page(case.row, Reader(link.language, request, link), work, problem)
    return Answer(location=links.path_of(request.path["secret"]))


def _mine(request: Request, work: Work) -> Row:
    """The newest of the person's own referrals."""
    person = request.caller.person if request.caller else None
    found = Referrals(work.connection).find(client_ids=[person]) if person else []
    if not found:
        raise NotFound
    return max(found, key=lambda row: (row["received_at"], row["id"]))


def _linked(link: Link, work: Work) -> Row:
    """The link's referral, as long as it is its reader's own."""
    found = Referrals(work.connection).find(ids=[link.subject_id])
    row = next((row for row in found if row["client_id"] == link.person_id), None)
    if row is None:
        raise Gone
    return row


def _pause(case: Case, request: Request) -> None:
    pause(case, _body(PauseSchema, request.form))


def _resume(case: Case, _: Request) -> None:
    if case.row["paused_at"] is not None:  # pressed twice: it is as they wanted
        resume(case)


def _another_peer(case: Case, _: Request) -> None:
    ask_for_another_peer(case)


def _agree(case: Case, request: Request) -> None:
    given = _body(ConsentSchema, request.form, **{"with": [ANY_PEER_ORGANISATION]})
    record_consent(case, {**given, "evidence": Evidence.LINK}, field="scope")


def _no_longer_agree(case: Case, _: Request) -> None:
    if case.status in CONSENTED:
        end_consent(case, "withdrawn")


def _withdraw(case: Case, _: Request) -> None:
    case.row["withdrawn_by"] = "client"
    case.move(Action.WITHDRAW, "withdrawn", by="client")
    case.emit(ReferralWithdrawn(by="client", **named(case.row)))


_STEPS: Final[Mapping[str, Callable[[Case, Request], None]]] = {
    "pause": _pause,
    "resume": _resume,
    "another-peer": _another_peer,
    "agree": _agree,
    "no-longer-agree": _no_longer_agree,
    "withdraw": _withdraw,
}


def _step(request: Request) -> Callable[[Case, Request], None]:
    step = _STEPS.get(request.form.get("act", ""))
    if step is None:
        raise Invalid({"act": ["Not one of this page's steps."]})
    return step


def _body(schema: type[Schema], form: Form, **more: Any) -> Any:
    errors: dict[str, list[str]] = {}
    sent = as_body(form, ("scope",)) | more
    body = load(schema_of(schema), sent, "body", errors)
    if errors:
        raise Invalid(errors)
    return body


def _page(row: Row, reader: Reader, work: Work, problem: Problem | None = None) -> Answer:
    words, zone = Words(PAGES, reader.language), row["client"]["time_zone"]
    kept, status = Kept.of(row["id"], work), Status(row["status"])
    html = reader.render(
        words=words,
        wording=wording,
        errors=errors_by_field(problem.errors, _FIELDS, words) if problem else {},
        told=in_the_way(problem, reader.language),
        stands=words(stands(row)),
        until=row["paused_until"] and words.day(row["paused_until"]),
        is_paused=row["paused_at"] is not None,
        ahead=[words.moment(at, zone) for at in sessions_ahead(kept.steps, work.now)],
        consent=kept.consent,
        is_consented=status in CONSENTED,
        may_agree=status is Status.AWAITING_CONSENT,
        has_peer=row["match_state"] in WITH_A_PEER and status in CONSENTED,
        steps=_told(kept.steps, words, zone),
        zone=zone,
    )
    return Answer(html=html, status=422 if isinstance(problem, Invalid) else None)


def stands(row: Row) -> str:
    """Where the referral stands, in a sentence to the person."""
    if row["status"] in wording.OWN_STATUS:
        return wording.OWN_STATUS[row["status"]]
    return wording.OWN_MATCH.get(row["match_state"] or "", wording.OWN_SEARCH)


def sessions_ahead(steps: Sequence[Mapping[str, Any]], now: datetime) -> list[datetime]:
    """By the timeline's steps, of which the last one about each session counts."""
    latest: dict[str, tuple[str, str]] = {}
    for step in steps:
        session = step["details"].get("session_id")
        if session:
            latest[session] = (step["step"], step["details"]["starts_at"])
    times = (datetime.fromisoformat(at) for last, at in latest.values() if last not in _ENDED)
    return sorted(at for at in times if at > now)


def _told(steps: Sequence[Mapping[str, Any]], words: Words, zone: str) -> list[dict[str, str]]:
    """What has happened, newest first; what went on between staff is not among it."""
    return [
        {
            "at": step["at"].isoformat(timespec="seconds"),
            "when": words.moment(step["at"], zone),
            "what": words.of(wording.OWN_STEP, step["step"]),
        }
        for step in reversed(steps)
        if step["step"] in wording.OWN_STEP
    ]
