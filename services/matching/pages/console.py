"""What a coordinator sees of the search for a peer, and does about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.http.forms import errors_by_field, role_of, take_step
from services.chassis.http.request import Answer, Form, Request
from services.chassis.organisations import known
from services.chassis.pages import Words, in_the_way, noted
from services.chassis.problems import Problem
from services.chassis.roles import COORDINATOR
from services.chassis.service import Route
from services.chassis.work import Work
from services.matching.domain.states import State
from services.matching.handlers.offering import list_waiting, read_offer, read_shortlist
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.pages.offers import rows_of_offers

Row = dict[str, Any]
_FIELDS = ("peer_id", "reason", "how")


def show_waiting(request: Request, work: Work) -> Answer:
    """Everybody without a peer, the longest waiting first, with whose turn it is."""
    words = Words(PAGES, request.language)
    listed = list_waiting(request, work)
    clinics = _clinics(work)
    chosen = request.query["state"]
    html = PAGES.visited(
        "waiting.html",
        request,
        words=words,
        wording=wording,
        rows=[_waiting(row, clinics, words, work.now) for row in listed.body],
        chosen=chosen[0] if len(chosen) == 1 else None,
        longer_than=request.query["longer_than_days"],
        asked=_asked_for(request.query),
        following=listed.next_cursor,
        states=[state for state in wording.STATE if state in _WITHOUT_A_PEER],
        zones=sorted({clinic["time_zone"] for clinic in clinics.values()}),
    )
    return Answer(html=html)


def show_search(request: Request, work: Work) -> Answer:
    return _search(request, work, {}, None)


def show_search_again(request: Request, work: Work, problem: Problem) -> Answer:
    words = Words(PAGES, request.language)
    return _search(request, work, errors_by_field(problem.errors, _FIELDS, words), problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    """Take a step with the referral's current match, or its open offer."""
    referral_id = request.path["referral_id"]
    match = read_shortlist(request, work).body
    path = {"referral_id": referral_id, "match_id": match["id"], "offer_id": match["offer_id"]}
    take_step(request, work, routes, path=path)
    return Answer(location=f"/matching/referrals/{referral_id}")


def _asked_for(query: Mapping[str, Any]) -> str:
    """The list's own query, to go on with to its next page."""
    pairs = [("state", state) for state in query["state"]]
    if query["longer_than_days"] is not None:
        pairs.append(("longer_than_days", str(query["longer_than_days"])))
    return "".join(f"{name}={value}&" for name, value in pairs)


# A clinic whose own event is still on its way keeps nobody off the list.
_UNHEARD_OF: Row = {"name": "", "time_zone": "UTC"}
_WITHOUT_A_PEER = (State.WAITING, State.SHORTLISTED, State.OFFERED, State.CHOSEN)


def _waiting(row: Row, clinics: Mapping[UUID, Row], words: Words, now: datetime) -> Row:
    clinic = clinics.get(row["clinic_id"], _UNHEARD_OF)
    zone = clinic["time_zone"]
    next_at = row["next_date"]
    return {
        **row,
        "clinic": clinic["name"],
        "received": words.day(row["received_at"].astimezone(ZoneInfo(zone)).date()),
        "days": (now - row["received_at"]).days,
        "next": next_at and words.moment(next_at, zone),
        "is_late": bool(next_at and next_at < now),
    }


def _search(
    request: Request, work: Work, errors: Mapping[str, str], problem: Problem | None
) -> Answer:
    words = Words(PAGES, request.language)
    answer = read_shortlist(request, work)
    match = answer.body
    clinic = _clinics(work).get(match["clinic_id"], _UNHEARD_OF)
    offer = None
    if match["offer_id"] and match["state"] in (State.OFFERED, State.CHOSEN):
        offer = read_offer(replace(request, path={"offer_id": match["offer_id"]}), work)
    is_coordinator = role_of(request) is COORDINATOR
    state = match["state"]
    html = PAGES.visited(
        "search.html",
        replace(request, form=request.form if problem else Form()),
        words=words,
        wording=wording,
        match=match,
        version=answer.version,
        clinic=clinic,
        errors=errors,
        told=_told(problem, words),
        received=words.moment(match["received_at"], clinic["time_zone"]),
        next=match["next_date"] and words.moment(match["next_date"], clinic["time_zone"]),
        candidates=[_candidate(one, words) for one in match["candidates"]],
        ruled_out=_counted(match["ruled_out"], wording.RULE, words),
        openings=_counted(match["openings"], wording.OPENING, words),
        offers=rows_of_offers(match["referral_id"], clinic["time_zone"], words, work),
        offer=offer.body if offer else None,
        offered=[(str(one["peer_id"]), one["display_name"]) for one in offer.body["peers"]]
        if offer
        else [],
        offer_version=offer.version if offer else None,
        answer_by=offer and words.moment(offer.body["answer_by"], clinic["time_zone"]),
        may_offer=is_coordinator
        and state == State.SHORTLISTED
        and match["accepted"]
        and not match["paused"],
        may_choose=is_coordinator and state == State.OFFERED,
        may_answer=is_coordinator and state == State.CHOSEN,
    )
    return Answer(html=html)


def _candidate(row: Row, words: Words) -> Row:
    return {
        **row,
        "for": [_reason(one, words) for one in _holding(row, "reasons_for")],
        "against": [_reason(one, words) for one in _holding(row, "reasons_against")],
        "ways": words.all(wording.MODE, row["modes"]),
    }


def _holding(row: Row, reasons: str) -> Iterator[Row]:
    """Places were counted when the list was made; once all are taken, the page says that."""
    return (one for one in row[reasons] if row["has_place"] or one["code"] != "places-free")


def _reason(reason: Row, words: Words) -> str:
    return words.of(wording.REASON, reason["code"]).format(**reason["counts"])


def _counted(
    counts: Mapping[str, int], sentences: Mapping[str, str], words: Words
) -> Sequence[tuple[str, int]]:
    """In the order of the sentences."""
    return [(words.of(sentences, code), counts[code]) for code in sentences if code in counts]


def _told(problem: Problem | None, words: Words) -> str | None:
    if problem is not None and problem.slug == "referral-not-accepted":
        return words(noted("Accept the referral first; the suggestions stay as they are."))
    if problem is not None and problem.slug == "paused":
        return words(noted("The person takes a pause; nobody is asked anything meanwhile."))
    return in_the_way(problem, words.language)


def _clinics(work: Work) -> dict[UUID, Row]:
    return known(work, work.orgs)
