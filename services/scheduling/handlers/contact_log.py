"""The contact log: entered in one request, corrected, taken back, read."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.cursors import decode, page_of
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain.contacts import (
    Contact,
    Details,
    Kind,
    Participant,
    State,
    participant,
    people_met,
    problems,
)
from services.scheduling.domain.sessions import Session
from services.scheduling.domain.sessions import State as SessionState
from services.scheduling.domain.units import UNITS
from services.scheduling.domain.zones import local
from services.scheduling.handlers.access import caller_of, check_peer
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.handlers.changes import resolve
from services.scheduling.handlers.telling import (
    tell_contact_corrected,
    tell_contact_logged,
    tell_contact_withdrawn,
)
from services.scheduling.repository import (
    ContactFilter,
    Contacts,
    Matches,
    People,
    Person,
    Sessions,
)


def log(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    contact = enter(_whose_log(request, caller, work), request.body, work)
    view = contact_view(contact, caller)
    return Answer(view, version=contact.version, location=f"/contacts/{contact.id}")


def enter(peer: Person, entered: dict[str, Any], work: Work) -> Contact:
    """Write the entry down; a booked session that it was is thereby held."""
    contact = Contact(
        id=work.new_id(),
        peer_id=peer.id,
        peer_organisation_id=peer.organisation_id,
        time_zone=zone_of(peer.id, work) or "UTC",
        state=State.LOGGED,
        version=1,
        details=_details(peer.id, entered, work),
    )
    Contacts(work.connection).add(contact)
    _follow(contact, contact.match_ids, work)
    tell_contact_logged(contact, work)
    return contact


def correct(request: Request, work: Work) -> Answer:
    contact, caller = _locked(request, work), caller_of(request)
    return _answer(rewrite(contact, request.body, work), caller)


def rewrite(contact: Contact, entered: dict[str, Any], work: Work) -> Contact:
    corrected = contact.corrected(_details(contact.peer_id, entered, work))
    Contacts(work.connection).change(corrected)
    _follow(corrected, sorted({*contact.match_ids, *corrected.match_ids}), work)
    tell_contact_corrected(corrected, work)
    return corrected


def withdraw(request: Request, work: Work) -> Answer:
    contact, caller = _locked(request, work), caller_of(request)
    return _answer(take_out(contact, work), caller)


def take_out(contact: Contact, work: Work) -> Contact:
    """Entered by mistake: it counts no more. What was said of a session stays said."""
    withdrawn = contact.withdrawn()
    Contacts(work.connection).change(withdrawn)
    Matches(work.connection).note_contact(contact.match_ids)
    tell_contact_withdrawn(withdrawn, work)
    return withdrawn


def show_contact(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    _see_own(caller, work)
    found = Contacts(work.connection).find(request.path["contact_id"])
    contact = check_contact(caller, found, work)
    return Answer(contact_view(contact, caller), version=contact.version)


def list_contacts(request: Request, work: Work) -> Answer:
    """The latest first: peers and clients see their own, staff their organisations'."""
    caller, query = caller_of(request), request.query
    if caller.role in (Role.PEER, Role.CLIENT) and caller.person is None:
        raise NotFound
    _see_own(caller, work)
    before = decode(query["cursor"], datetime, UUID) if query["cursor"] else (None, None)
    wanted = ContactFilter(
        served_ids=sorted(caller.orgs) if caller.is_staff else None,
        peer_id=query["peer_id"],
        referral_id=query["referral_id"],
        from_=query["from_"],
        to=query["to"],
        before_start=before[0],
        before_id=before[1],
        limit=query["limit"] + 1,
    )
    rows = Contacts(work.connection).page(_only_own(caller, wanted))
    page, more = page_of(rows, query["limit"], lambda one: (one.details.started_at, one.id))
    return Answer([contact_view(one, caller) for one in page], next_cursor=more)


def contact_view(contact: Contact, caller: Caller) -> dict[str, Any]:
    """A client is shown themselves only, also of a group."""
    named = contact.details.participants
    if caller.role == Role.CLIENT:
        named = tuple(one for one in named if one.client_id == caller.person)
    return {
        **vars(contact),
        "wall_started_at": local(contact.details.started_at, contact.time_zone),
        "units": UNITS.units(contact.details.minutes),
        "participants": named,
    }


def check_contact(caller: Caller, contact: Contact | None, work: Work) -> Contact:
    """The entry, if it is in the caller's own log or organisation, or about them."""
    if contact is None:
        raise NotFound
    if caller.role == Role.CLIENT:
        if caller.person not in {one.client_id for one in contact.details.participants}:
            raise NotFound
        return contact
    check_peer(caller, People(work.connection).find(contact.peer_id))
    return contact


def _whose_log(request: Request, caller: Caller, work: Work) -> Person:
    """One's own, unless a coordinator enters it for a peer."""
    told = request.body["peer_id"]
    peer_id = told or (caller.person if caller.role == Role.PEER else None)
    if peer_id is None:
        raise Invalid({"peer_id": ["Say whose log it is."]})
    return check_peer(caller, People(work.connection).find(peer_id))


def _details(peer_id: UUID, entered: dict[str, Any], work: Work) -> Details:
    facts = {name: value for name, value in entered.items() if name != "peer_id"}
    session = _session_of(peer_id, facts["session_id"], work)
    wanted = {*facts.pop("match_ids"), *([session.match_id] if session else [])}
    named = _participants(peer_id, wanted, session, work)
    facts["people"] = people_met(facts["form"], facts["kind"], facts["people"], len(named))
    details = Details(**facts, participants=named)
    if wrong := problems(details, work.now):
        raise Invalid(wrong)
    return details


def _session_of(peer_id: UUID, session_id: UUID | None, work: Work) -> Session | None:
    if session_id is None:
        return None
    session = Sessions(work.connection).find(session_id)
    if session is None or session.peer_id != peer_id or session.state == SessionState.CANCELLED:
        raise Invalid({"session_id": ["Not one of this peer's sessions."]})
    if session.starts_at > work.now:
        raise Invalid({"session_id": ["This session has not begun."]})
    return session


def _participants(
    peer_id: UUID, match_ids: set[UUID], session: Session | None, work: Work
) -> tuple[Participant, ...]:
    """The people of these matches, also of one that has ended since, or whose session it was."""
    matches = Matches(work.connection).find_many(sorted(match_ids))
    covered = session.match_id if session else None
    own = [match for match in matches if match.peer_id == peer_id or match.id == covered]
    if len(own) != len(match_ids):
        raise Invalid({"match_ids": ["Not one of this peer's matches."]})
    return tuple(participant(match) for match in own)


def _follow(contact: Contact, match_ids: list[UUID], work: Work) -> None:
    Matches(work.connection).note_contact(match_ids)
    session_id = contact.details.session_id
    if session_id is None or contact.details.kind == Kind.REACHING_OUT:
        return
    session = Sessions(work.connection).lock(session_id)
    if session is not None and session.state != SessionState.HELD:
        resolve(session, SessionState.HELD, work)


def _locked(request: Request, work: Work) -> Contact:
    caller = caller_of(request)
    found = Contacts(work.connection).lock(request.path["contact_id"])
    contact = check_contact(caller, found, work)
    request.expects(contact.version)
    return contact


def _see_own(caller: Caller, work: Work) -> None:
    """A client's token names clinics at most; entries lie with the peer's organisation."""
    if caller.role == Role.CLIENT and caller.person is not None:
        work.act_for(Contacts(work.connection).organisations_of(caller.person))


def _only_own(caller: Caller, wanted: ContactFilter) -> ContactFilter:
    """Somebody else's log is an empty one."""
    if caller.role == Role.CLIENT:
        return replace(wanted, client_id=caller.person)
    if caller.role == Role.PEER:
        is_own = wanted.peer_id in (None, caller.person)
        return replace(wanted, peer_id=caller.person, served_ids=None if is_own else [])
    return wanted


def _answer(contact: Contact, caller: Caller) -> Answer:
    return Answer(contact_view(contact, caller), version=contact.version)
