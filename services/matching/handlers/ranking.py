"""What events and changed peers do to the ranking of a referral."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Final

from services.chassis.errors import DomainError
from services.chassis.events import Heard
from services.chassis.work import Work
from services.matching import events
from services.matching.domain.states import (
    ASKED,
    HOLDS_A_PLACE,
    UNMATCHED,
    EndReason,
    State,
    Step,
)
from services.matching.handlers import answers, contact, policies, rounds
from services.matching.repository.matches import Matches
from services.matching.repository.needs import Needs
from services.matching.repository.peers import Peers

AT_ONCE: Final = 100
# A peer's change may commit a little after the time it carries.
COMMIT_MARGIN: Final = timedelta(seconds=10)


def rank(_: dict[str, Any], work: Work) -> None:
    """Rank peers for a referral that may be matched, in a new round or the one that is open."""
    need = work.answer
    if need is None:  # no valid consent any more; the event that says so is on its way
        return
    match = Matches(work.connection).lock_open(need["referral_id"])
    Needs(work.connection).store(need)
    if match is None:
        rounds.open_round(need, work)
    elif match.state in UNMATCHED:
        rounds.rank_again(match, rounds.need_of(match, work), work)


class UnknownPeer(DomainError):
    slug: ClassVar[str] = "unknown-peer"

    def __init__(self) -> None:
        super().__init__("The event names a peer who is not in this organisation")


def take_over(event: dict[str, Any], work: Work) -> None:
    """Two who met before Kindred; without valid consent nothing of them is kept."""
    need = work.answer
    if need is None or Matches(work.connection).latest(event["referral_id"]) is not None:
        return
    peer = Peers(work.connection).by_ids([event["peer_id"]]).get(event["peer_id"])
    if peer is None or peer["peer_organisation_id"] != event["peer_organisation_id"]:
        raise UnknownPeer
    Needs(work.connection).store(need)
    rounds.take_over(need, event, work)


def correct(event: dict[str, Any], work: Work) -> None:
    """Take over whose referral it is, and rank by the corrected needs while it is open."""
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is None:
        return
    if match.client_id != event["client_id"]:
        rounds.change_client(match, event["client_id"], work)
    if event["needs_changed"]:
        rank(event, work)


def remember_acceptance(event: dict[str, Any], work: Work) -> None:
    Needs(work.connection).accept(event["referral_id"])


def activate(outcomes: Sequence[Heard], work: Work) -> None:
    """The first session that was held makes the match an active one."""
    contact.met(contact.held(one.data for one in outcomes), work)
    held = [one for one in reversed(outcomes) if one.data["outcome"] == "held"]
    first_held = {one.data["match_id"]: one.event for one in held}
    matches = Matches(work.connection).lock_all(first_held)
    confirmed = [match for match in matches if match.state == State.CONFIRMED]
    for match in rounds.move_all(confirmed, Step.ACTIVATE, work, next_at=None):
        told = {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}
        activated = rounds.about(events.MatchActivated, match, **told)
        rounds.tell(work, match, activated, cause=first_held[match.id])


def end_withdrawn(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.REFERRAL_WITHDRAWN, work)


def end_declined(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.REFERRAL_DECLINED, work)


def end_without_consent(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.CONSENT_ENDED, work)


def end_completed(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.GOALS_REACHED, work)


def note_pause(event: dict[str, Any], work: Work) -> None:
    """An ask that is open is taken back, as if its time were over; a peer who said yes stays."""
    Needs(work.connection).note_pause(event["referral_id"], paused=True)
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is not None and match.state in ASKED:
        answers.expire(match, work)


def note_resumption(event: dict[str, Any], work: Work) -> None:
    Needs(work.connection).note_pause(event["referral_id"], paused=False)


def look_for_another_peer(event: dict[str, Any], work: Work) -> None:
    """The person asked for somebody else; where nobody is theirs any more, the search goes on."""
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is not None and match.state in HOLDS_A_PLACE:
        rounds.end(match, EndReason.ANOTHER_PEER, work)


def rank_the_waiting(work: Work) -> None:
    """Rank again whoever has nobody since before the peers last changed, oldest ranking first.

    A policy that was put to use since has everybody without a peer ranked again.
    """
    changed_at = Peers(work.connection).last_change()
    if changed_at is None:
        return
    matches, policy = Matches(work.connection), policies.active(work)
    work.each(
        matches.lock_waiting_since(changed_at + COMMIT_MARGIN, policy.version, AT_ONCE),
        lambda match: rounds.rank_again(match, rounds.need_of(match, work), work, can_empty=False),
    )


def _end(event: dict[str, Any], reason: EndReason, work: Work) -> None:
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is not None:
        rounds.end(match, reason, work)
    Needs(work.connection).forget(event["referral_id"])
