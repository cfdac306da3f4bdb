"""What other services may learn, by purpose and consent, and the record of what they learned."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.http.request import Answer, Request
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.consent import Consent
from services.referrals.domain.progress import CONSENTED
from services.referrals.handlers.case import CONTACT_DISPUTED, DO_NOT_CONTACT
from services.referrals.handlers.linking import own_page
from services.referrals.repository.clinics import Clinics
from services.referrals.repository.consents import Consents
from services.referrals.repository.referrals import Referrals, Row

NEED_FACTS: Final = ("languages", "postal_code", "area", "preferred_channel", "time_zone")
NEED_WISHES: Final = ("modes", "preferences", "topics", "access_needs", "excluded_peer_ids")
NEED_STATE: Final = ("client_id", "clinic_id", "urgency", "received_at", "accepted")
CONTACT_FIELDS: Final = ("name", "email", "phone", "safe_contact", "languages", "time_zone")

# In place of a contact that may not be used: nothing of the person.
NOBODY: Final[dict[str, Any]] = {
    "name": "",
    "email": None,
    "phone": None,
    "preferred_channel": "reception",
    "safe_times": [],
    "shared_phone": False,
    "through_representative": False,
}


def tell_needs(request: Request, work: Work) -> Answer:
    """Tell matching what it ranks by, of those who agreed to be matched."""
    rows = Referrals(work.connection).find(ids=request.body["ids"])
    consents = allowing_matching(rows, work)
    shown = [row for row in rows if row["id"] in consents]
    disclose(request, work, shown, (*NEED_FACTS, *NEED_WISHES, "is_minor", "urgency"))
    return Answer({"needs": [need(row, consents[row["id"]], work) for row in shown]})


def need(row: Row, consent: Consent, work: Work) -> dict[str, Any]:
    return {
        "referral_id": row["id"],
        **{name: row[name] for name in NEED_STATE},
        **{name: row["client"].get(name) for name in NEED_FACTS},
        **{name: row["needs"][name] for name in NEED_WISHES},
        "is_minor": is_minor(row, work),
        "paused": row["paused_at"] is not None,
        "peer_organisation_ids": consent.peer_organisations(),
    }


def tell_contacts(request: Request, work: Work) -> Answer:
    """Tell notifications where to write, or that it may not, at the moment of sending."""
    rows = Referrals(work.connection).find(ids=request.body["referral_ids"])
    consents = consents_of(rows, work)
    reasons = {row["id"]: silence(row, consents.get(row["id"]), work) for row in rows}
    told = [row for row in rows if reasons[row["id"]] is None]
    disclose(request, work, told, CONTACT_FIELDS)
    clinics = Clinics(work.connection)
    found = (clinics.get(clinic_id) for clinic_id in request.body["clinic_ids"])
    return Answer(
        {
            "clients": [
                contact(row, reasons[row["id"]], work)
                | {"progress_to_clinic": is_progress_told(consents.get(row["id"]), work)}
                for row in rows
            ],
            "clinics": [clinic for clinic in found if clinic],
        }
    )


def silence(row: Row, consent: Consent | None, work: Work) -> str | None:
    """Say why nothing may be sent to the person now; nothing said, it may."""
    if row["client"]["safe_contact"]["do_not_contact"]:
        return DO_NOT_CONTACT
    if row["withdrawn_by"] == "client":
        return "withdrawn"
    if consent is None or consent.has_ended(work.now):
        return "consent-ended"
    if "notification" not in consent.scope:
        return "not-consented"
    return CONTACT_DISPUTED if row["contact_disputed_at"] else None


def is_progress_told(consent: Consent | None, work: Work) -> bool:
    """Say whether the person agreed that their clinic hears of their sessions."""
    return consent is not None and consent.covers("progress-to-clinic", work.now)


def contact(row: Row, reason: str | None, work: Work) -> dict[str, Any]:
    client = row["client"]
    told = {
        "referral_id": row["id"],
        "allowed": reason is None,
        "reason": reason,
        "language": client["languages"][0],
        "time_zone": client["time_zone"],
    }
    if reason is not None:
        return told | NOBODY
    reach = person.reach(client, row["representative"], minor=is_minor(row, work))
    return told | {
        "name": reach.name,
        "email": reach.email,
        "phone": reach.phone,
        "preferred_channel": reach.preferred_channel,
        "safe_times": client["safe_contact"]["times"],
        "shared_phone": client["safe_contact"]["shared_phone"],
        "through_representative": reach.through_representative,
        "page": own_page(row, work),
    }


def tell_people(request: Request, work: Work) -> Answer:
    """Tell scheduling in which zone somebody lives, by any referral that allows it."""
    rows = Referrals(work.connection).find(client_ids=request.body["ids"])
    consents = consents_of(rows, work)
    newest = {
        row["client_id"]: row
        for row in rows
        if row["status"] in CONSENTED
        and (consent := consents.get(row["id"]))
        and consent.covers("scheduling", work.now)
    }
    disclose(request, work, newest.values(), ("time_zone",))
    people = [
        {
            "client_id": row["client_id"],
            "clinic_id": row["clinic_id"],
            "time_zone": row["client"]["time_zone"],
        }
        for row in newest.values()
    ]
    return Answer({"people": people})


def consents_of(rows: Iterable[Row], work: Work) -> dict[UUID, Consent]:
    found = Consents(work.connection).in_force([row["id"] for row in rows])
    return {
        row["referral_id"]: Consent(
            scope=row["scope"], recipients=row["recipients"], ends_at=row["ends_at"]
        )
        for row in found
    }


def allowing_matching(rows: Sequence[Row], work: Work) -> dict[UUID, Consent]:
    """List the consents, by referral, of those of whom matching may learn now."""
    consents = consents_of(rows, work)
    return {
        row["id"]: consent
        for row in rows
        if row["status"] in CONSENTED
        and (consent := consents.get(row["id"]))
        and consent.allows_matching(work.now)
    }


def is_minor(row: Row, work: Work) -> bool:
    today = work.now.astimezone(ZoneInfo(row["client"]["time_zone"])).date()
    return person.is_minor(row["client"], today)


def disclose(request: Request, work: Work, rows: Iterable[Row], fields: Iterable[str]) -> None:
    """Record, clinic by clinic, whose facts went to whom for which stated purpose."""
    by_clinic: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        by_clinic[row["clinic_id"]].append(row["client_id"])
    for clinic_id, client_ids in by_clinic.items():
        work.disclose(
            recipient=request.caller.subject if request.caller else "",
            purpose=request.purpose or "",
            org=clinic_id,
            subject_ids=client_ids,
            fields=fields,
        )
