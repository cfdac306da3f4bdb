"""What other services' events change here."""

from datetime import date
from typing import Any

from services.chassis import organisations
from services.chassis.log import get_log
from services.chassis.work import Work
from services.scheduling.domain.sessions import Cause, Match, TimeTaken
from services.scheduling.domain.zones import local
from services.scheduling.handlers.changes import call_off
from services.scheduling.repository import (
    Claims,
    Contacts,
    Matches,
    People,
    Person,
    Questions,
    Sessions,
)

log = get_log(__name__)


def note_clinic(event: dict[str, Any], work: Work) -> None:
    _remember_organisation(event, "clinic_id", "clinic", work)


def note_peer_organisation(event: dict[str, Any], work: Work) -> None:
    _remember_organisation(event, "peer_organisation_id", "peer-organisation", work)


def note_peer(event: dict[str, Any], work: Work) -> None:
    peer = Person(
        id=event["peer_id"],
        kind="peer",
        organisation_id=event["peer_organisation_id"],
        time_zone=event["time_zone"],
    )
    People(work.connection).remember(peer)


def open_match(event: dict[str, Any], work: Work) -> None:
    """From now on the two can be booked; a match that ended already stays ended."""
    Matches(work.connection).confirm(_match(event, "confirmed"), work.now)
    _remember_client(work)


def end_match(event: dict[str, Any], work: Work) -> None:
    Matches(work.connection).end(_match(event, "ended"))
    ahead = Sessions(work.connection).lock_future(now=work.now, match_id=event["match_id"])
    call_off(ahead, Cause.MATCH_ENDED, work)


def stop_for_consent(event: dict[str, Any], work: Work) -> None:
    _stop(event, Cause.CONSENT_ENDED, work)


def stop_for_withdrawal(event: dict[str, Any], work: Work) -> None:
    _stop(event, Cause.MATCH_ENDED, work)


def cancel_for_pause(event: dict[str, Any], work: Work) -> None:
    """The match goes on; what is booked for after the pause stays, by each session's calendar."""
    Matches(work.connection).note_pause(event["referral_id"], paused=True)
    until: date | None = event["until"]
    ahead = Sessions(work.connection).lock_future(now=work.now, referral_id=event["referral_id"])
    within = [
        session
        for session in ahead
        if until is None or local(session.starts_at, session.time_zone).date() < until
    ]
    call_off(within, Cause.CLIENT, work)


def note_resumption(event: dict[str, Any], work: Work) -> None:
    Matches(work.connection).note_pause(event["referral_id"], paused=False)


def correct_client(event: dict[str, Any], work: Work) -> None:
    """The referral is another person's: its matches, sessions and claims become theirs."""
    referral_id, client_id = event["referral_id"], event["client_id"]
    Matches(work.connection).correct_client(referral_id, client_id)
    Sessions(work.connection).correct_client(referral_id, client_id)
    Contacts(work.connection).correct_client(referral_id, client_id)
    Questions(work.connection).correct_client(referral_id, client_id)
    try:
        with work.connection.transaction():
            Claims(work.connection).correct_client(referral_id, client_id)
    except TimeTaken:
        # Both sessions were agreed on, so people decide which one stays.
        log.warning("client_claims_kept", referral_id=referral_id)
    _remember_client(work)


def _stop(event: dict[str, Any], cause: Cause, work: Work) -> None:
    referral_id = event["referral_id"]
    Matches(work.connection).end_of_referral(referral_id)
    ahead = Sessions(work.connection).lock_future(now=work.now, referral_id=referral_id)
    call_off(ahead, cause, work)


def _match(event: dict[str, Any], state: str) -> Match:
    facts = {"mode": None, **event}
    return Match(id=facts.pop("match_id"), state=state, **facts)


def _remember_client(work: Work) -> None:
    """The client's zone, if the referrals service knew the client."""
    if isinstance(work.answer, Person):
        People(work.connection).remember(work.answer)


def _remember_organisation(event: dict[str, Any], id_field: str, kind: str, work: Work) -> None:
    facts = dict(event)
    organisations.remember(work, id=facts.pop(id_field), kind=kind, **facts)
