"""What other services' events mean for a referral: its progress, timeline, plan and tasks."""

from collections.abc import Mapping
from typing import Any, Final

from services.chassis import organisations
from services.chassis.errors import DomainError
from services.chassis.work import Work
from services.referrals.domain.progress import Action, MatchEnd, MatchState, match_end
from services.referrals.events import ReferralCompleted, ReferralWithdrawn
from services.referrals.handlers.case import DO_NOT_CONTACT, Case, named
from services.referrals.repository.referrals import Referrals
from services.referrals.repository.work_records import Tasks

Event = Mapping[str, Any]

NO_PEER_FOUND: Final = "no-peer-found"
TELL_PERSON: Final = "tell-person"
REACH_OUT: Final = "reach-out"
# From their yes on a peer may learn how the person is called.
WITH_A_PEER: Final = frozenset({MatchState.CONFIRMED, MatchState.ACTIVE})
MESSAGE_UNDELIVERABLE: Final = "message-undeliverable"


class UnknownReferral(DomainError):
    slug = "unknown-referral"

    def __init__(self) -> None:
        super().__init__("The event names a referral that is not here")


def note_organisation(event: Event, work: Work) -> None:
    organisations.remember(
        work,
        id=event["peer_organisation_id"],
        kind="peer-organisation",
        name=event["name"],
        time_zone=event["time_zone"],
        area=event["area"],
    )


def note_shortlist(event: Event, work: Work) -> None:
    case = followed(event, work)
    settle(case, NO_PEER_FOUND)
    progress(case, event, MatchState.SHORTLISTED, "shortlisted", candidates=event["candidates"])


def note_no_peer(event: Event, work: Work) -> None:
    """Nobody fits yet: somebody owns that, too."""
    case = followed(event, work)
    progress(case, event, MatchState.NO_PEER_FOUND, "no-peer-found", ruled_out=event["ruled_out"])
    if case.is_open:
        case.ask_coordinator(NO_PEER_FOUND, ruled_out=event["ruled_out"])


def note_offer(event: Event, work: Work) -> None:
    case = followed(event, work)
    settle(case, NO_PEER_FOUND)
    progress(case, event, MatchState.OFFERED, "offered", answer_by=event["answer_by"])


def note_choice(event: Event, work: Work) -> None:
    progress(followed(event, work), event, MatchState.CHOSEN, "chosen")


def note_match(event: Event, work: Work) -> None:
    progress(followed(event, work), event, MatchState.CONFIRMED, "confirmed", mode=event["mode"])


def note_no(event: Event, work: Work) -> None:
    """A no needs no reason, and the next step is offered."""
    progress(followed(event, work), event, MatchState.SHORTLISTED, "next-offer", by=event["by"])


def note_offer_expired(event: Event, work: Work) -> None:
    progress(followed(event, work), event, MatchState.SHORTLISTED, "offer-expired")


def note_offer_taken_back(event: Event, work: Work) -> None:
    progress(followed(event, work), event, MatchState.SHORTLISTED, "offer-taken-back")


def note_activation(event: Event, work: Work) -> None:
    progress(followed(event, work), event, MatchState.ACTIVE, "active")


def note_quiet(event: Event, work: Work) -> None:
    """Nobody is reproached: somebody asks the peer, and agrees on how to reach out."""
    case = followed(event, work)
    case.note("quiet", at=time_of(work))
    if case.is_open:
        case.ask_coordinator(REACH_OUT)


def note_in_touch(event: Event, work: Work) -> None:
    case = followed(event, work)
    settle(case, REACH_OUT)
    case.note("in-touch", at=time_of(work))


def note_match_end(event: Event, work: Work) -> None:
    """Close the referral, or let it wait again with its first date, as the reason says."""
    case = followed(event, work)
    settle(case, REACH_OUT)
    end = match_end(event["reason"])
    if end.excludes_the_peer and event["peer_id"]:
        exclude(case, str(event["peer_id"]))
    is_current = progress(case, event, end.state, "match-ended", reason=event["reason"])
    if is_current and end.action and case.is_open:
        close(case, end)


def close(case: Case, end: MatchEnd) -> None:
    if end.action is Action.COMPLETE:
        case.move(Action.COMPLETE, "completed")
        case.emit(ReferralCompleted(**named(case.row)))
    else:
        case.row["withdrawn_by"] = "client"
        case.move(Action.WITHDRAW, "withdrawn", by="client")
        case.emit(ReferralWithdrawn(by="client", **named(case.row)))


def note_disowned_contact(event: Event, work: Work) -> None:
    """Whoever reads the client's mail is somebody else; a peer's address is matching's to mind."""
    if event["person"] != "client":
        return
    case = followed(event, work)
    case.dispute_contact()
    for row in Referrals(work.connection).find(client_ids=[case.row["client_id"]]):
        other = Case.find(work, row["id"]) if row["id"] != case.row["id"] else None
        if other and other.is_open:
            other.dispute_contact()


def note_session_booked(event: Event, work: Work) -> None:
    note_session(event, work, "session-booked")


def note_session_rescheduled(event: Event, work: Work) -> None:
    note_session(event, work, "session-rescheduled")


def note_session_cancelled(event: Event, work: Work) -> None:
    note_session(event, work, "session-cancelled", cause=event["cause"])


def note_session_outcome(event: Event, work: Work) -> None:
    note_session(event, work, "session-outcome", outcome=event["outcome"])


def note_session_covered(event: Event, work: Work) -> None:
    note_session(event, work, "session-covered")


def note_leave_question(event: Event, work: Work) -> None:
    followed(event, work).note("peer-away", at=time_of(work))


def note_leave_answer(event: Event, work: Work) -> None:
    step = f"peer-away-{event['wish']}"
    followed(event, work).note(step, at=time_of(work), by=event["told_by"])


def note_peer_there(event: Event, work: Work) -> None:
    followed(event, work).note("peer-there", at=time_of(work))


def note_session(event: Event, work: Work, step: str, **details: Any) -> None:
    case = followed(event, work)
    told = {"session_id": event["session_id"], "starts_at": event["starts_at"], **details}
    case.note(step, at=time_of(work), **told)


def note_delivery(event: Event, work: Work) -> None:
    case = note_message(event, work, "message-delivered", channel=event["channel"])
    if case:
        Tasks(work.connection).settle(case.row["id"], at=work.now, about=str(event["message_id"]))


def note_withheld(event: Event, work: Work) -> None:
    """Where the person asked not to be contacted, somebody tells them when they next come in."""
    case = note_message(event, work, "message-withheld", reason=event["reason"])
    if case is None:
        return
    if event["reason"] == DO_NOT_CONTACT and event["recipient"] == "client":
        ask_to_tell(case, event, TELL_PERSON, reason=event["reason"])
    else:
        # A message taken back needs nobody to tell it any more.
        Tasks(work.connection).settle(case.row["id"], at=work.now, about=str(event["message_id"]))


def note_undeliverable(event: Event, work: Work) -> None:
    case = note_message(event, work, "message-undeliverable", reason=event["reason"])
    if case:
        ask_to_tell(case, event, MESSAGE_UNDELIVERABLE, reason=event["reason"])


def note_staff_needed(event: Event, work: Work) -> None:
    case = note_message(event, work, "staff-asked-to-tell", channel=event["channel"])
    if case:
        ask_to_tell(case, event, TELL_PERSON, channel=event["channel"])


def note_message(event: Event, work: Work, step: str, **details: Any) -> Case | None:
    """Note a message's fate; one that is about no referral is none of ours."""
    if event["referral_id"] is None:
        return None
    case = followed(event, work)
    about = {name: event[name] for name in ("message_id", "kind", "recipient")}
    case.note(step, at=time_of(work), **about, **details)
    return case


def ask_to_tell(case: Case, event: Event, kind: str, **details: Any) -> None:
    about = {name: event[name] for name in ("message_id", "kind", "recipient")}
    message_kind = about.pop("kind")
    case.ask_coordinator(
        kind, about=event["message_id"], message_kind=message_kind, **about, **details
    )


def followed(event: Event, work: Work) -> Case:
    case = Case.find(work, event["referral_id"])
    if case is None:
        raise UnknownReferral
    return case


def progress(case: Case, event: Event, state: MatchState, step: str, **details: Any) -> bool:
    """Note the match's step; only the newest round says where the referral stands."""
    case.note(step, at=time_of(case.work), match_id=event["match_id"], **details)
    is_current = bool(event["round"] >= case.row["match_round"])
    if is_current:
        is_over = state in {MatchState.ENDED, MatchState.WAITING_AGAIN}
        organisation_id = event.get("peer_organisation_id")
        case.row["match_id"] = event["match_id"]
        case.row["match_round"] = event["round"]
        case.row["match_state"] = state
        case.row["peer_organisation_id"] = None if is_over else organisation_id
        case.row["peer_id"] = event.get("peer_id") if state in WITH_A_PEER else None
        case.save()
    return is_current


def settle(case: Case, kind: str) -> None:
    Tasks(case.work.connection).settle(case.row["id"], at=case.work.now, kinds=[kind])


def exclude(case: Case, peer_id: str) -> None:
    excluded = case.row["needs"]["excluded_peer_ids"]
    if peer_id not in excluded:
        excluded.append(peer_id)
        # Whoever corrects the list must have seen it with this peer on it.
        case.row["version"] += 1


def time_of(work: Work) -> Any:
    return work.received.time if work.received else work.now
