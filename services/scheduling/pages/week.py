"""A peer's own week: what comes next, whom they meet, and what is still to be said."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.chassis.http.forms import take_step
from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import NotFound, Problem
from services.chassis.service import Route
from services.chassis.work import Work
from services.scheduling.domain.sessions import Session, State
from services.scheduling.domain.units import Every, first_day_of
from services.scheduling.domain.zones import local
from services.scheduling.handlers.access import check_peer
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.handlers.hours_worked import sums
from services.scheduling.handlers.views import place_of
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Matches, People, Person, SessionFilter, Sessions

_SHOWN = timedelta(days=7)
_LOOKED_BACK = timedelta(days=31)
_MOST = 200


def show(request: Request, work: Work) -> Answer:
    return _week(request, work, None)


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    return _week(request, work, problem)


def act(request: Request, work: Work, routes: Mapping[str, Route]) -> Answer:
    """Say of one of one's own sessions how it went."""
    try:
        session_id = UUID(request.form.get("session_id", ""))
    except ValueError:
        raise NotFound from None
    form = replace(request, form=request.form.without("session_id"))
    take_step(form, work, routes, path={"session_id": session_id})
    return Answer(location="/scheduling/")


def peer_of(request: Request, work: Work) -> Person:
    """The peer whose pages these are."""
    caller = request.caller
    if caller is None or caller.person is None:
        raise NotFound
    return check_peer(caller, People(work.connection).find(caller.person))


def people_of(peer: Person, work: Work) -> list[dict[str, Any]]:
    """Whom the peer meets now; how they are called the gateway puts in."""
    return [
        {"match_id": str(match.id), "referral_id": match.referral_id}
        for match in Matches(work.connection).open_of(peer.id)
    ]


def _week(request: Request, work: Work, problem: Problem | None) -> Answer:
    words, peer = Words(PAGES, request.language), peer_of(request, work)
    zone = zone_of(peer.id, work) or "UTC"
    found = Sessions(work.connection).page(
        SessionFilter(
            own_as_peer=peer.id,
            from_=work.now - _LOOKED_BACK,
            to=work.now + _SHOWN,
            limit=_MOST,
        )
    )
    ahead = [one for one in found if one.state == State.BOOKED and one.ends_at > work.now]
    unsaid = [
        one
        for one in found
        if one.ends_at <= work.now and one.state in (State.BOOKED, State.UNRESOLVED)
    ]
    html = PAGES.visited(
        "week.html",
        request,
        words=words,
        wording=wording,
        ahead=[_shown(one, zone, words, work) for one in ahead],
        unsaid=[_shown(one, zone, words, work) for one in unsaid],
        people=people_of(peer, work),
        hours=_hours(peer, local(work.now, zone).date(), work),
        zone=zone,
        told=in_the_way(problem, request.language),
    )
    return Answer(html=html)


def _shown(session: Session, zone: str, words: Words, work: Work) -> dict[str, Any]:
    minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
    return {
        "id": session.id,
        "referral_id": session.referral_id,
        "match_id": session.match_id,
        "version": session.version,
        "when": words.moment(session.starts_at, zone),
        "minutes": minutes,
        "mode": words.of(wording.MODE, session.mode),
        "place": place_of(session, work),
    }


def _hours(peer: Person, today: date, work: Work) -> dict[str, str]:
    """This week's so far, of everything in the log."""
    periods = sums(peer, Every.WEEK, first_day_of(today, Every.WEEK), today, work)
    minutes = sum(period.person.minutes + period.group.minutes for period in periods)
    units = sum(period.person.units + period.group.units for period in periods)
    return {"hours": f"{minutes // 60}:{minutes % 60:02}", "units": str(units)}
