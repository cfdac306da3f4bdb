"""What events and changed peers do to the ranking of a referral."""

from datetime import timedelta
from typing import Any, Final

from services.chassis.work import Work
from services.matching import events
from services.matching.domain.states import UNMATCHED, EndReason, State, Step
from services.matching.handlers import rounds
from services.matching.repository.matches import Matches
from services.matching.repository.needs import Needs
from services.matching.repository.peers import Peers

AT_ONCE: Final = 20
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


def activate(event: dict[str, Any], work: Work) -> None:
    """The first session that was held makes the match an active one."""
    match = Matches(work.connection).lock(event["match_id"])
    if match is None or match.state != State.CONFIRMED or event["outcome"] != "held":
        return
    active = rounds.move(match, Step.ACTIVATE, work, next_at=None)
    told = {"peer_id": active.peer_id, "peer_organisation_id": active.peer_organisation_id}
    rounds.tell(work, active, rounds.about(events.MatchActivated, active, **told))


def end_withdrawn(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.REFERRAL_WITHDRAWN, work)


def end_declined(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.REFERRAL_DECLINED, work)


def end_without_consent(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.CONSENT_ENDED, work)


def end_completed(event: dict[str, Any], work: Work) -> None:
    _end(event, EndReason.GOALS_REACHED, work)


def rank_the_waiting(work: Work) -> None:
    """Rank again whoever has nobody since before the peers last changed, oldest ranking first."""
    changed_at = Peers(work.connection).last_change()
    if changed_at is None:
        return
    matches = Matches(work.connection)
    work.each(
        matches.lock_waiting_since(changed_at + COMMIT_MARGIN, AT_ONCE),
        lambda match: rounds.rank_again(match, rounds.need_of(match, work), work, can_empty=False),
    )


def _end(event: dict[str, Any], reason: EndReason, work: Work) -> None:
    match = Matches(work.connection).lock_open(event["referral_id"])
    if match is not None:
        rounds.end(match, reason, work)
    Needs(work.connection).forget(event["referral_id"])
