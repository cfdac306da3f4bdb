"""The client chooses, the peer accepts, either says no; and what happens when nobody answers."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.log import get_log
from services.chassis.problems import Conflict, Invalid, NotFound
from services.chassis.roles import CLIENT, CLINIC, PEER
from services.chassis.work import Work
from services.matching import events
from services.matching.domain import answer_times
from services.matching.domain.states import State, Step, after
from services.matching.handlers import rounds
from services.matching.handlers.callers import (
    caller_of,
    require_clinic_side,
    require_named,
    require_side,
)
from services.matching.handlers.capacity import note_first_match
from services.matching.handlers.shortlisting import today_of
from services.matching.handlers.views import match_view
from services.matching.repository.matches import Match, Matches
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers

log = get_log(__name__)
Row = dict[str, Any]
# One transaction: whoever answers one of them, or wants one of their peers, waits for its end.
AT_ONCE: Final = 10


def choose(request: Request, work: Work) -> Answer:
    """The client's choice among those offered, made by themselves or recorded by staff."""
    found = Offers(work.connection).find(request.path["offer_id"])
    if found is None:
        raise NotFound
    locked = Matches(work.connection).lock(found["match_id"])
    match = require_clinic_side(caller_of(request), locked)
    current = _offer(request.path["offer_id"], work)
    request.expects(current["version"])
    require_named(request, match.client_id)
    if match.offer_id != current["id"]:
        raise Conflict("offer-closed", "This offer is closed")
    wished, how = request.body.get("peer_id"), request.body.get("how")
    chosen = take_choice(match, wished, work, how=how)
    return Answer(body=match_view(chosen))


def take_choice(match: Match, wished: UUID | None, work: Work, *, how: str | None) -> Match:
    """Note the choice; an alternate's place is taken and the held one freed in the same step."""
    after(match.state, Step.CHOOSE)
    rounds.see_both_sides(match, work)
    row = _offered(match, wished or match.peer_id, work)
    peer_id: UUID = row["peer_id"]
    if peer_id != match.peer_id:
        _move_place(match, row, work)
    peer = Peers(work.connection).by_ids([peer_id])[peer_id]
    answer_by = answer_times.answer_by(work.now, peer["preferred_channel"], peer["time_zone"])
    named = {"peer_id": peer_id, "peer_organisation_id": row["peer_organisation_id"]}
    offer_id = row["offer_id"]
    Offers(work.connection).choose(offer_id, **named, answer_by=answer_by, how=how, now=work.now)
    chosen = rounds.move(match, Step.CHOOSE, work, next_at=answer_by, **named)
    event = rounds.about(events.MatchChosen, chosen, offer_id=offer_id, **named)
    rounds.tell(work, chosen, event)
    return chosen


def accept(request: Request, work: Work) -> Answer:
    """The peer's yes to a client who chose them, given by themselves or recorded."""
    match = _locked_side(request, work)
    require_named(request, match.peer_id)
    confirmed = take_acceptance(match, work, how=request.body.get("how"))
    return Answer(body=match_view(confirmed), version=confirmed.version)


def take_acceptance(match: Match, work: Work, *, how: str | None) -> Match:
    after(match.state, Step.ACCEPT)
    rounds.see_both_sides(match, work)
    row = _offered(match, match.peer_id, work)
    Offers(work.connection).accept(row["offer_id"], how, work.now)
    need = rounds.need_of(match, work)
    next_at = answer_times.review_by(work.now, somebody_suits=True, zone=need["time_zone"])
    mode = row["modes"][0]
    confirmed = rounds.move(match, Step.ACCEPT, work, mode=mode, next_at=next_at)
    named = {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}
    rounds.tell(work, confirmed, rounds.about(events.MatchConfirmed, confirmed, mode=mode, **named))
    note_first_match(confirmed, need["languages"], work)
    return confirmed


def decline(request: Request, work: Work) -> Answer:
    """A no, without a reason; the next step is told and the waiting date kept."""
    match = _locked_side(request, work)
    by = _declined_by(request)
    require_named(request, match.client_id if by == "client" else match.peer_id)
    back = take_no(match, by, work)
    step = "new-offer" if back.state == State.SHORTLISTED else "search-continues"
    body = {**match_view(back), "next_step": step, "next_match_id": back.id}
    return Answer(body=body, version=back.version)


def take_no(match: Match, by: str, work: Work) -> Match:
    """Back to the shortlist, without whoever the no was about."""
    after(match.state, Step.DECLINE)
    rounds.see_both_sides(match, work)
    about_all_offered = by == "client" and match.state == State.OFFERED
    former = _all_offered(match, work) if about_all_offered else [match.peer_id]
    if match.offer_id:
        Offers(work.connection).note_no(match.offer_id, by)
    back, candidates = rounds.take_back(match, Step.DECLINE, filter(None, former), work)
    declined = rounds.about(
        events.MatchDeclined,
        back,
        by=by,
        peer_id=match.peer_id,
        peer_organisation_id=match.peer_organisation_id,
        candidates=candidates,
    )
    rounds.tell(work, match, declined)
    rounds.tell_if_nobody_is_left(back, work)
    return back


def take_offer_back(request: Request, work: Work) -> Answer:
    """The coordinator's own offer, undone before the person has chosen."""
    found = Offers(work.connection).find(request.path["offer_id"])
    if found is None:
        raise NotFound
    locked = Matches(work.connection).lock(found["match_id"])
    match = require_clinic_side(caller_of(request), locked)
    request.expects(_offer(request.path["offer_id"], work)["version"])
    if match.offer_id != found["id"]:
        raise Conflict("offer-closed", "This offer is closed")
    back, _ = rounds.take_back(match, Step.TAKE_BACK, (), work)
    named = {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}
    event = rounds.about(events.MatchOfferTakenBack, back, offer_id=match.offer_id, **named)
    rounds.tell(work, match, event)
    rounds.tell_if_nobody_is_left(back, work)
    return Answer(body=match_view(back), version=back.version)


def expire_offers(work: Work) -> None:
    """Take back what nobody answered in time."""
    unanswered = Matches(work.connection).lock_unanswered(work.now, AT_ONCE)
    if count := work.each(unanswered, lambda match: expire(match, work)):
        log.info("offers_expired", count=count)


def expire(match: Match, work: Work) -> None:
    """Take the ask back; silence is no no, so nobody is passed over."""
    back, _ = rounds.take_back(match, Step.EXPIRE, (), work)
    named = {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}
    expired = rounds.about(events.MatchOfferExpired, back, offer_id=match.offer_id, **named)
    rounds.tell(work, match, expired)
    rounds.tell_if_nobody_is_left(back, work)


def _locked_side(request: Request, work: Work) -> Match:
    locked = Matches(work.connection).lock(request.path["match_id"])
    match = require_side(caller_of(request), locked)
    request.expects(match.version)
    return match


def _declined_by(request: Request) -> str:
    role, named = caller_of(request).role, request.body.get("by")
    own = {CLIENT: "client", PEER: "peer", CLINIC: "client"}.get(role)
    if own is None and named is None:
        raise Invalid({"by": ["Say whose no it is: client or peer."]})
    if own is not None and named not in (None, own):
        raise Invalid({"by": [f"You may record it for: {own}."]})
    return str(own or named)


def _move_place(match: Match, row: Row, work: Work) -> None:
    peers = Peers(work.connection)
    work.act_for([row["peer_organisation_id"]])
    peers.lock_all(filter(None, [row["peer_id"], match.peer_id]))
    if not peers.take_place(row["peer_id"], today_of(rounds.need_of(match, work), work)):
        raise Conflict(
            "place-taken",
            "This peer's place was taken meanwhile",
            "The other places of this offer are as they were; the offer shows which are free.",
        )
    if match.peer_id:
        peers.free_place(match.peer_id, work.now)


def _offer(offer_id: UUID, work: Work) -> Row:
    row = Offers(work.connection).find(offer_id)
    if row is None:
        raise NotFound
    return row


def _offered(match: Match, peer_id: UUID | None, work: Work) -> Row:
    """The offered peer's row with the offer's id."""
    for row in Offers(work.connection).peers(match.offer_id) if match.offer_id else []:
        if row["peer_id"] == peer_id:
            return {**row, "offer_id": match.offer_id}
    raise Invalid({"peer_id": ["Not in this offer."]})


def _all_offered(match: Match, work: Work) -> Iterable[UUID]:
    rows = Offers(work.connection).peers(match.offer_id) if match.offer_id else []
    return [row["peer_id"] for row in rows]
