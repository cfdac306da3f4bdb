"""Consent given, given again, withdrawn and run out: the gate for everything that leaves."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.referrals.domain import consent as rules
from services.referrals.domain.progress import CONSENTED, Action, ReferralEnded, Status, move
from services.referrals.domain.source import KEYED_IN, Evidence, Source
from services.referrals.events import (
    ReferralAccepted,
    ReferralConsentEnded,
    ReferralConsentRenewed,
    ReferralSubmitted,
)
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.correct import tell
from services.referrals.handlers.tell import consents_of
from services.referrals.handlers.view import referral_answer
from services.referrals.repository.consents import Consents, Row
from services.referrals.schemas.requests import CONSENT_HAS_ENDED

# One transaction: whoever acts on one of them meanwhile waits for its end.
EXPIRED_AT_ONCE: Final = 50


def give_consent(request: Request, work: Work) -> Answer:
    """Record what the person agreed to; it takes the place of what they said before."""
    case = Case.of_request(work, request.path["referral_id"])
    request.expects(case.row["version"])
    if not case.is_open:
        raise ReferralEnded
    record_consent(case, request.body, field="until")
    return referral_answer(case.row, work)


def withdraw_consent(request: Request, work: Work) -> Answer:
    case = Case.of_request(work, request.path["referral_id"])
    request.expects(case.row["version"])
    move(Action.END_CONSENT, status=case.status, accepted=case.row["accepted"])
    end_consent(case, "withdrawn")
    return referral_answer(case.row, work)


def expire_consents(work: Work) -> None:
    """End what has run out; whoever asks in the meantime is refused by the time itself."""

    def expire(referral_id: UUID) -> None:
        case = Case.find(work, referral_id)
        if case:
            end_consent(case, "expired")

    work.each(Consents(work.connection).due(work.now, EXPIRED_AT_ONCE), expire)


def record_first_consent(case: Case, given: Mapping[str, Any], *, field: str) -> Row:
    """Let the consent that a referral comes in with open the way, or not; return what is kept."""
    consent = consent_given(case, given, field)
    if consent.allows_matching(case.work.now):
        go_on(case)
    else:
        note_too_narrow(case)
    row = consent_row(case, consent, given)
    Consents(case.work.connection).add(row)
    return row


def consent_given(case: Case, given: Mapping[str, Any], field: str) -> rules.Consent:
    until = rules.ends_at(given["until"], case.row["client"]["time_zone"])
    consent = rules.Consent(scope=given["scope"], recipients=given["with"], ends_at=until)
    if consent.has_ended(case.work.now):
        raise Invalid({field: [CONSENT_HAS_ENDED]})
    return consent


def consent_row(case: Case, consent: rules.Consent, given: Mapping[str, Any]) -> Row:
    return {
        "id": case.work.new_id(),
        "referral_id": case.row["id"],
        "clinic_id": case.row["clinic_id"],
        "given_on": given["given_on"] or case.today,
        "scope": consent.scope,
        "recipients": consent.recipients,
        "evidence": given["evidence"] or evidence_by(case.row["source"]),
        "ends_at": consent.ends_at and consent.ends_at.astimezone(UTC),
        "recorded_at": case.work.now,
    }


def evidence_by(source: str) -> Evidence:
    """What speaks for a consent of which nobody said it: the way the referral came in."""
    return KEYED_IN.get(Source(source), Evidence.CLINIC_RECORD)


def record_consent(case: Case, given: Mapping[str, Any], *, field: str) -> None:
    """Store the consent and let it open, keep or close the way."""
    work = case.work
    consent = consent_given(case, given, field)
    consents = Consents(work.connection)
    before = consents_of([case.row], work).get(case.row["id"])
    consents.end(case.row["id"], at=work.now, cause="replaced")
    consents.add(consent_row(case, consent, given))
    if not consent.allows_matching(work.now):
        note_too_narrow(case)
    elif case.status is Status.AWAITING_CONSENT:
        go_on(case)
    else:
        case.row["version"] += 1
        case.note("consent-changed")
        case.save()
        with_others = before is None or set(before.recipients) != set(consent.recipients)
        if with_others or (before and set(before.scope) != set(consent.scope)):
            # With whom decides who may be ranked; that it is to less outlives a restore so.
            tell(case, needs_changed=with_others)


def note_too_narrow(case: Case) -> None:
    """A consent without matching leads nowhere; given later, it takes the wider one back."""
    if case.status in CONSENTED:
        case.move(Action.END_CONSENT, "consent-ended", cause="withdrawn")
        case.emit(ReferralConsentEnded(cause="withdrawn", **named(case.row)))
    else:
        case.row["version"] += 1
        case.note("consent-missing")
        case.save()


def go_on(case: Case) -> None:
    """Let the referral leave for the first time, or again; the waiting date stays."""
    row = case.row
    is_first = row["submitted_at"] is None
    accepts_now = case.clinic["auto_accept"] and not row["accepted"]
    row["accepted"] = row["accepted"] or case.clinic["auto_accept"]
    if is_first:
        row["submitted_at"] = case.work.now
    case.move(Action.GIVE_CONSENT, "submitted" if is_first else "consent-renewed")
    event = ReferralSubmitted if is_first else ReferralConsentRenewed
    case.emit(
        event(
            client_id=row["client_id"],
            received_at=row["received_at"],
            accepted=row["accepted"],
            **named(row),
        )
    )
    if accepts_now:
        case.note("accepted", by="policy")
        case.emit(ReferralAccepted(**named(row)))


def end_consent(case: Case, cause: str) -> None:
    """Close the way in the same commit that records the end."""
    Consents(case.work.connection).end(case.row["id"], at=case.work.now, cause=cause)
    if case.status in CONSENTED:
        case.move(Action.END_CONSENT, "consent-ended", cause=cause)
        case.emit(ReferralConsentEnded(cause=cause, **named(case.row)))
