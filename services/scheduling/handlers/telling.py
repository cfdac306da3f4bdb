"""Emits the events; the row that they are about is new or locked, so they leave in order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.events import Event
from services.chassis.work import Work
from services.scheduling import events
from services.scheduling.domain.contacts import Contact
from services.scheduling.domain.leave import Leave, Question
from services.scheduling.domain.sessions import Session
from services.scheduling.domain.units import UNITS


def tell_booked(session: Session, work: Work, *, existing: bool = False) -> None:
    _emit(events.SessionBooked(**_facts(session), existing=existing), session, work)


def tell_rescheduled(session: Session, previous_starts_at: datetime, work: Work) -> None:
    event = events.SessionRescheduled(**_facts(session), previous_starts_at=previous_starts_at)
    _emit(event, session, work)


def tell_cancelled(session: Session, work: Work) -> None:
    _emit(events.SessionCancelled(**_facts(session), cause=str(session.cause)), session, work)


def tell_outcome(session: Session, work: Work) -> None:
    event = events.SessionOutcomeRecorded(**_facts(session), outcome=str(session.state))
    _emit(event, session, work)


def tell_covered(session: Session, previous_peer_id: UUID, work: Work) -> None:
    event = events.SessionCovered(**_facts(session), previous_peer_id=previous_peer_id)
    _emit(event, session, work)


def tell_disowned(session: Session, person_id: UUID, work: Work) -> None:
    person = "peer" if person_id == session.peer_id else "client"
    facts = {**_facts(session), "person": person, "person_id": person_id}
    _emit(events.SessionContactDisowned(**facts), session, work)


def _emit(event: Event, session: Session, work: Work) -> None:
    work.emit(event, org=session.peer_organisation_id, clinic_org=session.clinic_id)


def _facts(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "match_id": session.match_id,
        "referral_id": session.referral_id,
        **vars(session.parties),
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "time_zone": session.time_zone,
        "revision": session.revision,
        "mode": session.mode,
    }


def tell_contact_logged(contact: Contact, work: Work) -> None:
    _emit_contact(events.ContactLogged(**_contact_facts(contact)), contact, work)


def tell_contact_corrected(contact: Contact, work: Work) -> None:
    _emit_contact(events.ContactCorrected(**_contact_facts(contact)), contact, work)


def tell_contact_withdrawn(contact: Contact, work: Work) -> None:
    _emit_contact(events.ContactWithdrawn(**_contact_facts(contact)), contact, work)


def _emit_contact(event: Event, contact: Contact, work: Work) -> None:
    clinic_id = contact.person.clinic_id if contact.person else None
    work.emit(event, org=contact.peer_organisation_id, clinic_org=clinic_id)


def _contact_facts(contact: Contact) -> dict[str, Any]:
    """In numbers: neither the kind nor the setting leaves."""
    details, person = contact.details, contact.person
    ids = ("match_id", "referral_id", "client_id", "clinic_id")
    return {
        "contact_id": contact.id,
        "peer_id": contact.peer_id,
        "peer_organisation_id": contact.peer_organisation_id,
        **{name: getattr(person, name) if person else None for name in ids},
        "match_ids": contact.match_ids,
        "session_id": details.session_id,
        "started_at": details.started_at,
        "time_zone": contact.time_zone,
        "minutes": details.minutes,
        "units": UNITS.units(details.minutes),
        "people": details.people,
        "form": str(details.form),
    }


def tell_planned(leave: Leave, work: Work) -> None:
    work.emit(events.LeavePlanned(**_leave_facts(leave)), org=leave.peer_organisation_id)


def tell_withdrawn(leave: Leave, work: Work) -> None:
    work.emit(events.LeaveWithdrawn(**_leave_facts(leave)), org=leave.peer_organisation_id)


def tell_asked(question: Question, work: Work) -> None:
    _emit_question(events.LeaveAsked(**_question_facts(question)), question, work)


def tell_answered(question: Question, work: Work) -> None:
    facts = _question_facts(question) | {
        "wish": str(question.wish),
        "told_by": str(question.told_by),
    }
    _emit_question(events.LeaveAnswered(**facts), question, work)


def tell_not_asked_any_more(question: Question, work: Work) -> None:
    _emit_question(events.LeaveQuestionWithdrawn(**_question_facts(question)), question, work)


def tell_disowned_about_leave(question: Question, work: Work) -> None:
    facts = _question_facts(question) | {"person": "client", "person_id": question.client_id}
    _emit_question(events.LeaveContactDisowned(**facts), question, work)


def _emit_question(event: Event, question: Question, work: Work) -> None:
    work.emit(event, org=question.peer_organisation_id, clinic_org=question.clinic_id)


def _leave_facts(leave: Leave) -> dict[str, Any]:
    named = ("peer_id", "peer_organisation_id", "starts_at", "ends_at", "time_zone")
    return {"leave_id": leave.id, **{name: getattr(leave, name) for name in named}}


def _question_facts(question: Question) -> dict[str, Any]:
    kept_here = {"id", "wish", "told_by"}
    return {name: fact for name, fact in vars(question).items() if name not in kept_here}
