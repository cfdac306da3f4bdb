"""The coordinator's part: who waits, who is on the shortlist, and the offer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.chassis import cursors
from services.chassis.http.request import Answer, Request
from services.chassis.problems import Conflict, Invalid, NotFound
from services.chassis.roles import CLIENT
from services.chassis.work import Work
from services.matching import events
from services.matching.domain import answer_times
from services.matching.domain.offering import LineUp, line_up
from services.matching.domain.states import State, Step, after
from services.matching.handlers import rounds
from services.matching.handlers.callers import caller_of, require_clinic_side
from services.matching.handlers.shortlisting import stands, today_of
from services.matching.handlers.views import match_view, named, offer_view, peers_with_place
from services.matching.repository.matches import Match, Matches, Shortlists
from services.matching.repository.needs import Needs
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers
from services.matching.repository.proposals import Proposals

Row = dict[str, Any]


def list_waiting(request: Request, work: Work) -> Answer:
    """Everybody who has no confirmed peer yet, by the original waiting date."""
    cursor, limit = request.query["cursor"], request.query["limit"]
    after_row = cursors.decode(cursor, datetime, UUID) if cursor else None
    states = [State(state) for state in request.query["state"]]
    rows = Matches(work.connection).waiting(
        caller_of(request).orgs,
        states,
        (after_row[0], after_row[1]) if after_row else None,
        limit + 1,
        received_before=_days_ago(request.query["longer_than_days"], work.now),
    )
    page, following = cursors.page_of(rows, limit, lambda row: (row["received_at"], row["id"]))
    return Answer(body=[_waiting_view(row) for row in page], next_cursor=following)


def read_shortlist(request: Request, work: Work) -> Answer:
    found = Matches(work.connection).latest(request.path["referral_id"])
    match = require_clinic_side(caller_of(request), found)
    need = Needs(work.connection).find(match.referral_id)
    candidates = _shortlisted(match, need, work) if need else []
    body = {
        **match_view(match),
        "accepted": bool(need and need["accepted"]),
        "paused": bool(need and need["paused"]),
        "candidates": candidates,
    }
    return Answer(body=body, version=match.version)


def offer(request: Request, work: Work) -> Answer:
    """Offer one peer, whose place is held from now on, and two alternates."""
    found = Matches(work.connection).lock_latest(request.path["referral_id"])
    match = require_clinic_side(caller_of(request), found)
    request.expects(match.version)
    after(match.state, Step.OFFER)
    need = rounds.need_of(match, work)
    _require_acceptance(need, work)
    _require_no_pause(need)
    asked = request.body
    answer_by = _answer_by(asked.get("answer_by"), need, work)
    rows = {row["peer_id"]: row for row in _shortlisted(match, need, work)}
    rows |= _proposed(match, need, asked.get("peer_id"), rows, work)
    lined_up = _line_up(rows, asked, need, work)
    offer_id = work.new_id()
    first = rows[lined_up.first]
    row = {
        "id": offer_id,
        "match_id": match.id,
        "referral_id": match.referral_id,
        "client_id": match.client_id,
        "clinic_id": match.clinic_id,
        "peer_id": lined_up.first,
        "peer_organisation_id": first["peer_organisation_id"],
        "state": "open",
        "answer_by": answer_by,
        "order_reason": asked.get("reason"),
        "offered_at": work.now,
    }
    Offers(work.connection).add(row)
    Offers(work.connection).add_peers(
        {**rows[peer_id], "offer_id": offer_id, "clinic_id": match.clinic_id, "position": position}
        for position, peer_id in enumerate((lined_up.first, *lined_up.alternates), start=1)
    )
    peer = {"peer_id": lined_up.first, "peer_organisation_id": first["peer_organisation_id"]}
    offered = rounds.move(match, Step.OFFER, work, offer_id=offer_id, next_at=answer_by, **peer)
    event = rounds.about(
        events.MatchOffered, offered, offer_id=offer_id, answer_by=answer_by, **peer
    )
    rounds.tell(work, offered, event)
    body = offer_view(row, today_of(need, work), work, for_client=False)
    return Answer(body=body, version=1, location=f"/offers/{offer_id}")


def read_offer(request: Request, work: Work) -> Answer:
    row = Offers(work.connection).find(request.path["offer_id"])
    if row is None:
        raise NotFound
    match = require_clinic_side(caller_of(request), Matches(work.connection).find(row["match_id"]))
    need = Needs(work.connection).find(match.referral_id)
    today = today_of(need, work) if need else work.now.date()
    for_client = caller_of(request).role is CLIENT
    return Answer(body=offer_view(row, today, work, for_client=for_client), version=row["version"])


def _days_ago(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now - timedelta(days=days)


def _waiting_view(row: Row) -> Row:
    facts = {name: value for name, value in row.items() if name in Match.__dataclass_fields__}
    counts = {name: row[name] for name in ("accepted", "paused", "shortlisted_peers")}
    return {**match_view(Match(**facts)), **counts}


def _shortlisted(match: Match, need: Row, work: Work) -> list[Row]:
    return named(Shortlists(work.connection).of(match.id), today_of(need, work), work)


def _proposed(
    match: Match, need: Row, peer_id: UUID | None, rows: dict[UUID, Row], work: Work
) -> dict[UUID, Row]:
    """The peer whom the latest proposal has for this person, if they still suit; behind the others.

    Where places are few it may be somebody further down than the shortlist goes.
    """
    if peer_id is None or peer_id in rows:
        return {}
    if Proposals(work.connection).latest_for(match.id) != peer_id:
        return {}
    standing = stands(need, peer_id, work)
    if standing is None or standing.candidate is None:
        return {}
    row = {
        "peer_id": peer_id,
        "peer_organisation_id": standing.candidate.organisation_id,
        "modes": [str(mode) for mode in standing.candidate.modes],
    }
    return {peer_id: named([row], today_of(need, work), work)[0]}


def _require_acceptance(need: Row, work: Work) -> None:
    """`work.answer`: referrals said so just now, before its event came."""
    if need["accepted"]:
        return
    if not work.answer:
        raise Conflict(
            "referral-not-accepted",
            "The referral is not accepted yet",
            "Accept the referral first; the shortlist stays as it is.",
        )
    Needs(work.connection).accept(need["referral_id"])


def _require_no_pause(need: Row) -> None:
    if need["paused"]:
        raise Conflict(
            "paused",
            "The person takes a pause",
            "Nobody is asked anything until they go on; their place in the queue stays.",
        )


def _answer_by(wished: datetime | None, need: Row, work: Work) -> datetime:
    if wished is None:
        return answer_times.answer_by(work.now, need["preferred_channel"], need["time_zone"])
    if not work.now < wished <= work.now + answer_times.LONGEST:
        raise Invalid({"answer_by": ["Has to be within the next sixty days."]})
    return wished.astimezone(UTC)


def _line_up(rows: dict[UUID, Row], asked: Row, need: Row, work: Work) -> LineUp:
    """Take the first peer's place; of the ranking's own order, the first whose place is free."""
    first, alternates = asked.get("peer_id"), asked.get("alternates")
    _require_on_shortlist(rows, first, alternates)
    free = peers_with_place(list(rows.values()))
    while True:
        lined_up = line_up(list(rows), free, first, alternates)
        if lined_up.first in lined_up.alternates:
            raise Invalid({"alternates": ["The first peer is no alternate to themselves."]})
        if not lined_up.follows_the_ranking and not asked.get("reason"):
            raise Invalid({"reason": ["Another order than the shortlist's asks for a reason."]})
        if Peers(work.connection).take_place(lined_up.first, today_of(need, work)):
            return lined_up
        if first is not None:
            raise Conflict("place-taken", "This peer has no free place just now")
        free.discard(lined_up.first)


def _require_on_shortlist(
    rows: dict[UUID, Row], first: UUID | None, alternates: list[UUID] | None
) -> None:
    errors = {}
    if first is not None and first not in rows:
        errors["peer_id"] = ["Not on the shortlist."]
    if alternates and not set(alternates) <= rows.keys():
        errors["alternates"] = ["Not on the shortlist."]
    elif alternates and len(set(alternates)) < len(alternates):
        errors["alternates"] = ["Somebody is named twice."]
    if errors:
        raise Invalid(errors)
