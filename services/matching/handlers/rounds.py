"""What several handlers do to a match in their transaction: rank, move on, release, end."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from services.chassis.events import Received
from services.chassis.work import Work
from services.matching import events
from services.matching.domain import answer_times
from services.matching.domain.states import (
    HOLDS_A_PLACE,
    PASSES_THE_PEER_OVER,
    SEARCH_GOES_ON,
    UNMATCHED,
    WITH_SOMEBODY,
    EndReason,
    NotNow,
    State,
    Step,
    after,
)
from services.matching.handlers.capacity import note_leaving
from services.matching.handlers.policies import active as active_policy
from services.matching.handlers.shortlisting import (
    Row,
    Shortlist,
    rank_peers,
    store_shortlist,
)
from services.matching.repository.matches import Match, Matches, Shortlists
from services.matching.repository.needs import FormerPeers, Needs
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers

E = TypeVar("E", bound=events.AboutMatch)


class ChangedMeanwhile(Exception):
    """A match was written without its row lock: a bug, and nothing may be stored."""


# How an offer stands once its match has gone back to the shortlist by a step.
_OFFER_AFTER: Final = {
    Step.DECLINE: "declined",
    Step.EXPIRE: "expired",
    Step.TAKE_BACK: "taken-back",
}


def open_round(need: Row, work: Work) -> Match:
    """Begin the referral's next round under its original waiting date."""
    shortlist = rank_peers(need, work)
    state = after(State.WAITING, shortlist.step)
    match = Match(
        id=work.new_id(),
        referral_id=need["referral_id"],
        client_id=need["client_id"],
        clinic_id=need["clinic_id"],
        round=Matches(work.connection).last_round(need["referral_id"]) + 1,
        received_at=need["received_at"],
        state=state,
        policy_version=shortlist.policy_version,
        ruled_out=shortlist.ruled_out,
        openings=shortlist.openings,
        next_at=_review_by(state, need, work),
        ranked_at=work.now,
        opened_at=work.now,
        changed_at=work.now,
    )
    Matches(work.connection).open(match)
    store_shortlist(match, shortlist, work)
    _tell_outcome(match, shortlist, work)
    return match


def take_over(need: Row, peer: Mapping[str, Any], work: Work) -> Match:
    """The round of two who met before Kindred: they are matched, and nobody is asked again.

    The place counts, also where the peer has none free: it was given before.
    """
    match = Match(
        id=work.new_id(),
        referral_id=need["referral_id"],
        client_id=need["client_id"],
        clinic_id=need["clinic_id"],
        round=1,
        received_at=need["received_at"],
        state=State.WAITING,
        policy_version=active_policy(work).version,
        ruled_out={},
        next_at=None,
        ranked_at=work.now,
        opened_at=work.now,
        changed_at=work.now,
    )
    Matches(work.connection).open(match)
    Peers(work.connection).hold_place(peer["peer_id"])
    named = {name: peer[name] for name in ("peer_id", "peer_organisation_id")}
    confirmed = _store(
        match, replace(match, state=State.CONFIRMED, mode=peer["mode"], **named), work
    )
    told = about(events.MatchConfirmed, confirmed, mode=peer["mode"], existing=True, **named)
    tell(work, confirmed, told)
    active = move(confirmed, Step.ACTIVATE, work)
    tell(work, active, about(events.MatchActivated, active, **named))
    return active


def rank_again(match: Match, need: Row, work: Work, *, can_empty: bool = True) -> Match:
    """Rank an unmatched referral anew; readers see a change only where there is one.

    A shortlist whose peers are all full for now is kept, unless `can_empty`.
    """
    shortlist = rank_peers(need, work)
    state = after(match.state, shortlist.step)
    known = Shortlists(work.connection).of(match.id)
    is_kept = match.state == State.SHORTLISTED and not (shortlist.rows or can_empty)
    if is_kept or (state == match.state and known == shortlist.rows):
        counted = replace(
            match,
            ranked_at=work.now,
            ruled_out=shortlist.ruled_out,
            openings=shortlist.openings,
            policy_version=shortlist.policy_version,
        )
        Matches(work.connection).note_ranking(counted)
        return counted
    ranked = _with_shortlist(match, state, shortlist, need, work)
    if state != match.state:
        _tell_outcome(ranked, shortlist, work)
    return ranked


def take_back(match: Match, step: Step, former: Iterable[UUID], work: Work) -> tuple[Match, int]:
    """Return an asked match to its shortlist, without these peers; how many are on it now."""
    after(match.state, step)
    release(match, _OFFER_AFTER[step], work)
    FormerPeers(work.connection).add(match.referral_id, match.clinic_id, former, work.now)
    need = need_of(match, work)
    shortlist = rank_peers(need, work)
    unasked = replace(match, offer_id=None, peer_id=None, peer_organisation_id=None)
    state = after(State.SHORTLISTED, shortlist.step)
    return _with_shortlist(unasked, state, shortlist, need, work), len(shortlist.rows)


def tell_if_nobody_is_left(match: Match, work: Work) -> None:
    if match.state == State.WAITING:
        count = sum(match.ruled_out.values())
        tell(work, match, about(events.MatchNoPeerFound, match, ruled_out=count))


def end(match: Match, reason: EndReason, work: Work) -> tuple[Match, Match | None]:
    """End the match for a reason that blames nobody; where the search goes on, open a round."""
    goes_on = reason in SEARCH_GOES_ON
    if goes_on and match.state in UNMATCHED:
        raise NotNow(f"The match is {match.state}.", "There is no peer to change yet.")
    after(match.state, Step.END)
    need = Needs(work.connection).find(match.referral_id)
    release(match, "ended", work)
    if reason in PASSES_THE_PEER_OVER and match.peer_id:
        former = FormerPeers(work.connection)
        former.add(match.referral_id, match.clinic_id, [match.peer_id], work.now)
    Shortlists(work.connection).clear(match.id)
    ended = move(match, Step.END, work, end_reason=str(reason), next_at=None)
    peer = {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}
    tell(work, ended, about(events.MatchEnded, ended, reason=str(reason), **peer))
    if goes_on and need is not None:
        return ended, open_round(need, work)
    if need is not None and match.state not in WITH_SOMEBODY:
        note_leaving(match, need["languages"], work)
    Needs(work.connection).forget(match.referral_id)
    return ended, None


def change_client(match: Match, client_id: UUID, work: Work) -> Match:
    """A wrong link was undone: the referral, as far as it has come, is another person's."""
    see_both_sides(match, work)
    Needs(work.connection).change_client(match.referral_id, client_id)
    Offers(work.connection).change_client(match.id, client_id)
    return _store(match, replace(match, client_id=client_id, changed_at=work.now), work)


def move(match: Match, step: Step, work: Work, **changes: Any) -> Match:
    """Take the step if the match's state allows it; the caller holds the row's lock."""
    state = after(match.state, step)
    return _store(match, replace(match, state=state, changed_at=work.now, **changes), work)


def move_all(matches: Iterable[Match], step: Step, work: Work, *, next_at: Any) -> list[Match]:
    """Take the step with all of them, whose row locks the caller holds."""
    changes = {"next_at": next_at, "changed_at": work.now}
    moved = [
        replace(match, state=after(match.state, step), version=match.version + 1, **changes)
        for match in matches
    ]
    if Matches(work.connection).step(moved) != len(moved):
        raise ChangedMeanwhile(f"one of {len(moved)}")
    return moved


def about(event: type[E], match: Match, **more: Any) -> E:
    """The event with what every event of a match carries."""
    return event(
        match_id=match.id,
        referral_id=match.referral_id,
        client_id=match.client_id,
        clinic_id=match.clinic_id,
        round=match.round,
        **more,
    )


def tell(work: Work, match: Match, event: Any, *, cause: Received | None = None) -> None:
    """Emit for the peer's organisation once there is an offer, until then for the clinic."""
    org = match.peer_organisation_id or match.clinic_id
    work.emit(event, org=org, clinic_org=match.clinic_id, cause=cause)


def see_both_sides(match: Match, work: Work) -> None:
    """Act for the clinic and the peer's organisation, once the caller was admitted to one."""
    sides = {match.clinic_id, match.peer_organisation_id}
    work.act_for(org for org in sides if org is not None)


def need_of(match: Match, work: Work) -> Row:
    need = Needs(work.connection).find(match.referral_id)
    if need is None:
        raise LookupError("an open match without its need")
    return need


def _with_shortlist(
    match: Match, state: State, shortlist: Shortlist, need: Row, work: Work
) -> Match:
    is_due = match.next_at if state == match.state else _review_by(state, need, work)
    changed = replace(
        match,
        state=state,
        policy_version=shortlist.policy_version,
        ruled_out=shortlist.ruled_out,
        openings=shortlist.openings,
        next_at=is_due,
        ranked_at=work.now,
        changed_at=work.now,
    )
    store_shortlist(match, shortlist, work)
    return _store(match, changed, work)


def _store(match: Match, changed: Match, work: Work) -> Match:
    if not Matches(work.connection).store(changed):
        raise ChangedMeanwhile(str(match.id))
    return replace(changed, version=match.version + 1)


def _tell_outcome(match: Match, shortlist: Shortlist, work: Work) -> None:
    if shortlist.rows:
        count = len(shortlist.rows)
        tell(work, match, about(events.MatchShortlisted, match, candidates=count))
    else:
        tell_if_nobody_is_left(match, work)


def release(match: Match, offer_state: str, work: Work) -> None:
    see_both_sides(match, work)
    if match.state in HOLDS_A_PLACE and match.peer_id:
        Peers(work.connection).free_place(match.peer_id, work.now)
    if match.offer_id:
        Offers(work.connection).close(match.offer_id, offer_state, work.now)


def _review_by(state: State, need: Row, work: Work) -> Any:
    somebody_suits = state == State.SHORTLISTED
    return answer_times.review_by(work.now, somebody_suits=somebody_suits, zone=need["time_zone"])
