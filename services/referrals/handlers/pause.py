"""A person pauses and comes back, or asks for somebody else; no reason is ever needed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.referrals.domain.pause import NotPaused, PauseReason, Until
from services.referrals.domain.progress import (
    CONSENTED,
    ConsentMissing,
    NotPossibleNow,
    ReferralEnded,
)
from services.referrals.events import ReferralAnotherPeerAsked, ReferralPaused, ReferralResumed
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.follow import WITH_A_PEER
from services.referrals.handlers.triage import seen_case
from services.referrals.handlers.view import referral_answer
from services.referrals.repository.referrals import Referrals

# One transaction: whoever acts on one of them meanwhile waits for its end.
ENDED_AT_ONCE: Final = 50
# No clinic's day has begun when it is still this much earlier at UTC.
_ZONES_AHEAD: Final = timedelta(days=1)


def pause_referral(request: Request, work: Work) -> Answer:
    case = seen_case(request, work)
    pause(case, request.body)
    return referral_answer(case.row, work)


def resume_referral(request: Request, work: Work) -> Answer:
    case = seen_case(request, work)
    if case.row["paused_at"] is None:
        raise NotPaused
    resume(case)
    return referral_answer(case.row, work)


def end_pauses(work: Work) -> None:
    """Let those go on whose day has come, by their clinic's calendar."""

    def end(referral_id: UUID) -> None:
        case = Case.find(work, referral_id)
        if case and Until(case.row["paused_until"]).has_come(case.today):
            resume(case)

    latest = (work.now + _ZONES_AHEAD).date()
    work.each(Referrals(work.connection).paused_until(latest, ENDED_AT_ONCE), end)


def pause(case: Case, asked: Mapping[str, Any]) -> None:
    """Begin a pause, or change the one there is."""
    require_consent(case)
    if not Until(asked["until"]).is_in_reach(case.today):
        raise Invalid({"until": ["Has to be a day within the coming year."]})
    case.row["paused_at"] = case.row["paused_at"] or case.work.now
    case.row["paused_until"] = asked["until"]
    case.row["pause_reason"] = str(asked["reason"] or PauseReason.OTHER)
    case.row["version"] += 1
    case.note("paused", until=asked["until"])
    case.save()
    case.emit(ReferralPaused(until=asked["until"], **named(case.row)))


def resume(case: Case) -> None:
    case.row |= {"paused_at": None, "paused_until": None, "pause_reason": None}
    case.row["version"] += 1
    case.note("resumed")
    case.save()
    case.emit(ReferralResumed(**named(case.row)))


def ask_for_another_peer(case: Case) -> None:
    """Matching ends what there is, passes the peer over and keeps the waiting date."""
    require_consent(case)
    if case.row["match_state"] not in WITH_A_PEER:
        raise NotPossibleNow
    case.row["version"] += 1
    case.note("another-peer-asked")
    case.save()
    case.emit(ReferralAnotherPeerAsked(**named(case.row)))


def require_consent(case: Case) -> None:
    if case.status in CONSENTED:
        return
    raise ConsentMissing if case.is_open else ReferralEnded
