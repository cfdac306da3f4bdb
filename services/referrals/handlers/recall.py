"""What a restored database has forgotten of its own events, brought back as far as they tell it.

They carry no facts of a person: what was corrected, asked or agreed to since is known to people
only. So whatever they leave open is closed: nobody is written to at an address that somebody has
corrected since, and a consent that ended stays ended.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis.errors import Forgotten
from services.chassis.work import Work
from services.referrals.domain.pause import PauseReason
from services.referrals.domain.progress import CONSENTED, UNDECIDED, Action, Status
from services.referrals.handlers.case import Case
from services.referrals.handlers.follow import time_of
from services.referrals.repository.consents import Consents
from services.referrals.repository.referrals import Referrals

Event = Mapping[str, Any]


def accept(event: Event, work: Work) -> None:
    case = known(event, work)
    case.row["accepted"] = True
    if case.status in UNDECIDED:
        case.move(Action.ACCEPT, "accepted", at=time_of(work), by="coordinator")
    else:
        case.save()


def decline(event: Event, work: Work) -> None:
    case = known(event, work)
    if case.is_open:
        case.move(Action.DECLINE, "declined", at=time_of(work), reason=event["reason"])


def reopen(event: Event, work: Work) -> None:
    case = known(event, work)
    if case.status is Status.DECLINED:
        case.move(Action.REOPEN, "reopened", at=time_of(work))


def withdraw(event: Event, work: Work) -> None:
    case = known(event, work)
    if case.is_open:
        case.row["withdrawn_by"] = event["by"]
        case.move(Action.WITHDRAW, "withdrawn", at=time_of(work), by=event["by"])


def complete(event: Event, work: Work) -> None:
    case = known(event, work)
    if case.is_open:
        case.move(Action.COMPLETE, "completed", at=time_of(work))


def end_consent(event: Event, work: Work) -> None:
    case = known(event, work)
    cause = event["cause"]
    Consents(work.connection).end(case.row["id"], at=time_of(work), cause=cause)
    if case.status in CONSENTED:
        case.move(Action.END_CONSENT, "consent-ended", at=time_of(work), cause=cause)


def pause(event: Event, work: Work) -> None:
    """Why the person pauses was told to nobody, so it is not known any more."""
    case = known(event, work)
    case.row |= {"paused_at": time_of(work), "paused_until": event["until"]}
    case.row["pause_reason"] = str(PauseReason.OTHER)
    case.note("paused", at=time_of(work), until=event["until"])
    case.save()


def resume(event: Event, work: Work) -> None:
    case = known(event, work)
    case.row |= {"paused_at": None, "paused_until": None, "pause_reason": None}
    case.note("resumed", at=time_of(work))
    case.save()


def distrust(event: Event, work: Work) -> None:
    """Something was corrected, nobody here knows what: the address, a wish, whose it is.

    It may have been "do not contact", or a consent to less; so we keep still until somebody has
    looked.
    """
    case = known(event, work)
    if case.row["client_id"] != event["client_id"]:
        case.row["client_id"] = event["client_id"]
        case.row["linked_referral_id"] = None
    Consents(work.connection).narrow(case.row["id"], without="progress-to-clinic")
    case.row["version"] += 1
    Referrals(work.connection).save(case.row)
    case.dispute_contact()


def known(event: Event, work: Work) -> Case:
    case = Case.find(work, event["referral_id"])
    if case is None:
        raise Forgotten("a referral submitted since")
    return case
