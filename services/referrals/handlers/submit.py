"""A clinic's referral comes in: kept whatever is missing, recognised, and sent on with consent."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.person import Earlier
from services.referrals.domain.progress import Status
from services.referrals.domain.source import Source
from services.referrals.handlers.case import Case
from services.referrals.handlers.consent import record_first_consent
from services.referrals.handlers.view import Kept, referral_answer
from services.referrals.repository.clinics import Clinics
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.schemas.requests import NEEDS, PLAN, REPRESENTATIVE, client_facts


def submit_referral(request: Request, work: Work) -> Answer:
    """Take in a referral; the same person's earlier one at this clinic is linked."""
    return received(request.body, Source.CLINIC, work)


def enter_referral(request: Request, work: Work) -> Answer:
    """Key in a referral that a clinic sent by other means; it is the clinic's like any other."""
    return received(request.body, request.body["source"], work)


def received(body: dict[str, Any], source: Source, work: Work) -> Answer:
    case, consent = keep(body, source, work)
    answer = referral_answer(case.row, work, Kept(consent, case.noted))
    return Answer(
        answer.body, version=answer.version, location=f"/referrals/{case.row['id']}", status=201
    )


def keep(body: dict[str, Any], source: Source, work: Work) -> tuple[Case, Row | None]:
    """Write the referral down, with the consent that it came with."""
    clinic = submitting_clinic(body["clinic_id"], work)
    client = client_facts(body["client"])
    identity = person.identity(client)
    known = person.same_person(identity, Referrals(work.connection).earlier(clinic["id"], identity))
    row = new_row(body, client, clinic, known, work, source=source)
    case = Case(work, row, clinic, newcomer=identity)
    with work.connection.pipeline():  # what is written needs no answer before the next goes out
        consent = take_in(case, body["consent"])
    return case, consent


def submitting_clinic(given: UUID | None, work: Work) -> Row:
    """Find the clinic that refers; one that the caller does not act for is as good as unknown."""
    if given is None and len(work.orgs) != 1:
        raise Invalid({"clinic_id": ["Say for which of your clinics."]})
    clinic_id = given or next(iter(work.orgs))
    clinic = Clinics(work.connection).lock(clinic_id) if clinic_id in work.orgs else None
    if clinic is None:
        raise Invalid({"clinic_id": ["Not a clinic that you refer for."]})
    return clinic


def new_row(
    body: dict[str, Any],
    client: dict[str, Any],
    clinic: Row,
    known: Earlier | None,
    work: Work,
    *,
    source: Source,
) -> Row:
    plan, representative = body["treatment_plan"], body["representative"]
    return {
        "id": work.new_id(),
        "clinic_id": clinic["id"],
        "client_id": known.client_id if known else work.new_id(),
        "linked_referral_id": known.referral_id if known else None,
        "contact_disputed_at": None,
        "paused_at": None,
        "paused_until": None,
        "pause_reason": None,
        "external_reference": body["external_reference"],
        "source": source,
        "status": Status.AWAITING_CONSENT,
        "accepted": False,
        "received_at": work.now,
        "submitted_at": None,
        "withdrawn_by": None,
        "urgency": body["urgency"],
        "client": client,
        "needs": NEEDS.dump(body),
        "plan": PLAN.dump(plan) if plan else None,
        "representative": REPRESENTATIVE.dump(representative) if representative else None,
        "match_id": None,
        "match_round": 0,
        "match_state": None,
        "peer_organisation_id": None,
        "peer_id": None,
        "version": 1,
    }


def take_in(case: Case, given: Mapping[str, Any] | None) -> Row | None:
    """Write down the referral and how far it goes; return the consent that is kept."""
    consent = None
    case.note("received", at=case.row["received_at"], source=case.row["source"])
    if case.row["linked_referral_id"]:
        case.note("linked", referral_id=case.row["linked_referral_id"])
    if given:
        consent = record_first_consent(case, given, field="consent.until")
    else:
        case.note("consent-missing")
        case.save()
    case.ask_for_missing_contact()
    return consent
