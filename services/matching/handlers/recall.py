"""What a restored database has forgotten of its own events: who was asked, and who said yes.

Their facts are identifiers: a shortlist is ranked anew, and a peer who came since is not known.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.chassis import links, organisations
from services.chassis.errors import Forgotten
from services.chassis.work import Work
from services.matching.domain.states import (
    HOLDS_A_PLACE,
    PASSES_THE_PEER_OVER,
    SEARCH_GOES_ON,
    EndReason,
    State,
)
from services.matching.handlers import rounds
from services.matching.handlers.policies import active
from services.matching.repository.matches import Match, Matches, Shortlists
from services.matching.repository.needs import FormerPeers, Needs
from services.matching.repository.offers import Offers
from services.matching.repository.peers import PeerOrganisations, Peers

Event = Mapping[str, Any]

# So that the next look at those who wait ranks it.
NEVER_RANKED: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY: Final[dict[str, Any]] = {"offer_id": None, "peer_id": None, "peer_organisation_id": None}


def register(event: Event, work: Work) -> None:
    facts = {name: event[name] for name in ("name", "time_zone", "area")}
    facts["id"] = event["peer_organisation_id"]
    work.act_for([facts["id"]])
    PeerOrganisations(work.connection).store(facts)
    organisations.remember(work, kind="peer-organisation", **facts)


def distrust(event: Event, work: Work) -> None:
    """Something of the peer changed since, perhaps the address: it has to be given anew."""
    peers = Peers(work.connection)
    if peers.lock(event["peer_id"]) is None:
        raise Forgotten("a peer registered since")
    peers.note_state(event["peer_id"], event["state"], work.now)
    peers.dispute_contact(event["peer_id"], work.now)


def look_again(event: Event, work: Work) -> None:
    """Nobody is asked: the match waits, and is ranked as soon as matching runs."""
    match = _match(event, work)
    rounds.release(match, "expired", work)
    _store(match, work, state=State.WAITING, ranked_at=NEVER_RANKED, **NOBODY)


def decline(event: Event, work: Work) -> None:
    match = _match(event, work)
    offered = Offers(work.connection).peers(match.offer_id) if match.offer_id else []
    about_all = event["by"] == "client" and match.state == State.OFFERED
    former = [row["peer_id"] for row in offered] if about_all else [event["peer_id"]]
    _pass_over(match, former, work)
    look_again(event, work)


def offer(event: Event, work: Work) -> None:
    match = _match(event, work)
    peer = _hold_place(match, event, work)
    offers = Offers(work.connection)
    if offers.find(event["offer_id"]) is None:
        facts = ("referral_id", "client_id", "clinic_id", "peer_id", "peer_organisation_id")
        row = {name: event[name] for name in (*facts, "match_id", "answer_by")}
        offers.add({**row, "id": event["offer_id"], "order_reason": None, "offered_at": work.now})
        _add_to_offer(event["offer_id"], match, peer, 1, work)
    _store(match, work, state=State.OFFERED, next_at=event["answer_by"], **_asked(event))


def choose(event: Event, work: Work) -> None:
    match = _match(event, work)
    peer = _hold_place(match, event, work)
    _add_to_offer(event["offer_id"], match, peer, 2, work)
    named = {name: event[name] for name in ("peer_id", "peer_organisation_id")}
    answer_by = match.next_at or work.now
    Offers(work.connection).choose(
        event["offer_id"], **named, answer_by=answer_by, how=None, now=work.now
    )
    _store(match, work, state=State.CHOSEN, next_at=answer_by, **_asked(event))


def confirm(event: Event, work: Work) -> None:
    match = _match(event, work)
    _hold_place(match, event, work)
    if match.offer_id:
        Offers(work.connection).accept(match.offer_id, None, work.now)
    asked = _asked(event) | {"offer_id": match.offer_id}
    _store(match, work, state=State.CONFIRMED, mode=event["mode"], next_at=work.now, **asked)


def activate(event: Event, work: Work) -> None:
    match = _match(event, work)
    _hold_place(match, event, work)
    asked = _asked(event) | {"offer_id": match.offer_id}
    _store(match, work, state=State.ACTIVE, next_at=None, **asked)


def end(event: Event, work: Work) -> None:
    match = _match(event, work)
    if match.state == State.ENDED:
        return
    reason = EndReason(event["reason"])
    rounds.release(match, "ended", work)
    if reason in PASSES_THE_PEER_OVER:
        _pass_over(match, [event["peer_id"]], work)
    Shortlists(work.connection).clear(match.id)
    named = {name: event[name] for name in ("peer_id", "peer_organisation_id")}
    _store(match, work, state=State.ENDED, end_reason=str(reason), next_at=None, **named)
    if reason not in SEARCH_GOES_ON:
        Needs(work.connection).forget(match.referral_id)


def disown(event: Event, work: Work) -> None:
    """The client's address is for referrals to mind, the peer's for us."""
    if event["person"] == "peer":
        Peers(work.connection).dispute_contact(event["person_id"], work.now)
    links.disown_all(work, event["person_id"])


def _match(event: Event, work: Work) -> Match:
    """The match, opened as the event tells it if it was opened since."""
    matches = Matches(work.connection)
    match = matches.lock(event["match_id"])
    if match is None:
        before = matches.latest(event["referral_id"])
        match = Match(
            id=event["match_id"],
            **{name: event[name] for name in ("referral_id", "client_id", "clinic_id", "round")},
            received_at=before.received_at if before else _time(work),
            state=State.WAITING,
            policy_version=active(work).version,
            ruled_out={},
            next_at=work.now,
            ranked_at=NEVER_RANKED,
            opened_at=_time(work),
            changed_at=work.now,
        )
        matches.open(match)
    return match


def _hold_place(match: Match, event: Event, work: Work) -> Mapping[str, Any]:
    """The peer, whose place is held from now on instead of another's."""
    rounds.see_both_sides(match, work)
    peers = Peers(work.connection)
    peer = peers.lock(event["peer_id"])
    if peer is None:
        raise Forgotten("a peer registered since")
    held = match.peer_id if match.state in HOLDS_A_PLACE else None
    if held != event["peer_id"]:
        if held:
            peers.free_place(held, work.now)
        peers.hold_place(event["peer_id"])
    return peer


def _add_to_offer(
    offer_id: UUID, match: Match, peer: Mapping[str, Any], position: int, work: Work
) -> None:
    row = {
        "offer_id": offer_id,
        "clinic_id": match.clinic_id,
        "peer_id": peer["id"],
        "peer_organisation_id": peer["peer_organisation_id"],
        "position": position,
        "modes": peer["modes"],
    }
    Offers(work.connection).add_peers([row])


def _asked(event: Event) -> dict[str, Any]:
    return {name: event.get(name) for name in NOBODY}


def _pass_over(match: Match, peer_ids: list[UUID | None], work: Work) -> None:
    former = FormerPeers(work.connection)
    former.add(match.referral_id, match.clinic_id, filter(None, peer_ids), work.now)


def _store(match: Match, work: Work, **changes: Any) -> None:
    if not Matches(work.connection).store(replace(match, changed_at=work.now, **changes)):
        raise rounds.ChangedMeanwhile(str(match.id))


def _time(work: Work) -> datetime:
    return work.received.time if work.received else work.now
