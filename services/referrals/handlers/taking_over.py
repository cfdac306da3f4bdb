"""What was there before Kindred: pairs that have met, and people who wait.

Pairs are taken over as they are: nobody is ranked, asked or written to. Who waits goes on waiting
from the day on which they came.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.progress import Action
from services.referrals.domain.source import Evidence, Source
from services.referrals.events import ReferralTakenOver
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.consent import consent_given, consent_row
from services.referrals.handlers.submit import new_row, submitting_clinic, take_in
from services.referrals.handlers.view import Kept, referral_answer
from services.referrals.repository.consents import Consents
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.schemas.requests import client_facts


def take_over(request: Request, work: Work) -> Answer:
    """Once by its reference: what is known already is answered as it is now."""
    row, kept, added = _taken_over(request.body, work)
    answer = referral_answer(row, work, kept)
    location, status = f"/referrals/{row['id']}", 201 if added else 200
    return Answer(answer.body, version=answer.version, status=status, location=location)


def take_over_many(request: Request, work: Work) -> Answer:
    """All of them in one transaction, or none; clinics are locked in one order by everybody."""
    pairs = request.body["pairs"]
    for clinic_id in sorted({pair["clinic_id"] for pair in pairs}):
        submitting_clinic(clinic_id, work)
    found = [_taken_over(pair, work) for pair in pairs]
    referrals = [
        {"id": row["id"], "external_reference": row["external_reference"], "added": added}
        for row, _, added in found
    ]
    return Answer({"referrals": referrals}, status=201)


def take_in_waiting(request: Request, work: Work) -> Answer:
    """All of them in one transaction, or none; what is known by its reference stays as it is."""
    waiting = request.body["referrals"]
    for clinic_id in sorted({one["clinic_id"] for one in waiting}):
        submitting_clinic(clinic_id, work)
    found = [_waiting(one, work) for one in waiting]
    referrals = [
        {"id": row["id"], "external_reference": row["external_reference"], "added": added}
        for row, added in found
    ]
    return Answer({"referrals": referrals}, status=201)


def _waiting(body: Mapping[str, Any], work: Work) -> tuple[Row, bool]:
    clinic = submitting_clinic(body["clinic_id"], work)
    referrals = Referrals(work.connection)
    known = referrals.taken_over(clinic["id"], body["external_reference"])
    if known is not None:
        return known, False
    if body["received_at"] > work.now:
        raise Invalid({"received_at": ["Lies in the future."]})
    client = client_facts(body["client"])
    identity = person.identity(client)
    same = person.same_person(identity, referrals.earlier(clinic["id"], identity))
    row = new_row(dict(body), client, clinic, same, work, source=Source.IMPORT)
    row |= {"received_at": body["received_at"], "accepted": body["accepted"]}
    case = Case(work, row, clinic, newcomer=identity)
    with work.connection.pipeline():
        take_in(case, body["consent"])
    return case.row, True


def _taken_over(body: Mapping[str, Any], work: Work) -> tuple[Row, Kept | None, bool]:
    clinic = submitting_clinic(body["clinic_id"], work)
    referrals = Referrals(work.connection)
    known = referrals.taken_over(clinic["id"], body["external_reference"])
    if known is not None:
        return known, None, False
    if body["peer_organisation_id"] not in work.orgs:
        raise Invalid({"peer_organisation_id": ["Not an organisation that you act for."]})
    if body["received_at"] > work.now:
        raise Invalid({"received_at": ["Lies in the future."]})
    client = client_facts(body["client"])
    identity = person.identity(client)
    same = person.same_person(identity, referrals.earlier(clinic["id"], identity))
    row = new_row(dict(body), client, clinic, same, work, source=Source.IMPORT)
    row |= {
        "received_at": body["received_at"],
        "submitted_at": work.now,
        "accepted": True,
        "peer_organisation_id": body["peer_organisation_id"],
    }
    case = Case(work, row, clinic, newcomer=identity)
    given = {**body["consent"], "evidence": body["consent"]["evidence"] or Evidence.PAPER}
    consent = consent_given(case, given, "consent.until")
    if not consent.allows_matching(work.now):
        raise Invalid({"consent.scope": ["Has to include matching: they have a peer."]})
    kept = consent_row(case, consent, given)
    with work.connection.pipeline():
        case.note("received", at=body["received_at"], source=Source.IMPORT)
        case.move(Action.GIVE_CONSENT, "taken-over")
        Consents(work.connection).add(kept)
        case.emit(
            ReferralTakenOver(
                client_id=row["client_id"],
                peer_id=body["peer_id"],
                peer_organisation_id=body["peer_organisation_id"],
                mode=body["mode"],
                **named(row),
            )
        )
    return case.row, Kept(kept, case.noted), True
