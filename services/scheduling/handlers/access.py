"""Who may see or change what: the first wall, in front of row-level security."""

from collections.abc import Set
from uuid import UUID

from services.chassis.http.request import Caller, Request
from services.chassis.problems import Forbidden, NotFound
from services.chassis.roles import Role
from services.scheduling.domain.sessions import Match, Parties
from services.scheduling.repository import Person


def caller_of(request: Request) -> Caller:
    if request.caller is None:
        raise Forbidden
    return request.caller


def check_parties(caller: Caller, parties: Parties | Match) -> None:
    """Somebody else's match or session looks like a missing one."""
    if not _is_party(caller, parties):
        raise NotFound


def check_person(caller: Caller, person: Person | None) -> Person:
    """A person reads and sets their own hours; a coordinator those of people served."""
    if person is None or not _serves(caller, {person.organisation_id}):
        raise NotFound
    is_own = caller.person == person.id and caller.role == person.kind
    if caller.role != Role.COORDINATOR and not is_own:
        raise NotFound
    return person


def check_peer(caller: Caller, person: Person | None) -> Person:
    """A peer is read by themselves, and by coordinators and supervisors of the organisation."""
    if person is None or person.kind != Role.PEER or not _serves(caller, {person.organisation_id}):
        raise NotFound
    if caller.role == Role.PEER and caller.person != person.id:
        raise NotFound
    return person


def may_overrule(caller: Caller) -> bool:
    """Peers decide about their own hours, and coordinators with both sides."""
    return caller.role in (Role.PEER, Role.COORDINATOR)


def _is_party(caller: Caller, parties: Parties | Match) -> bool:
    if caller.role == Role.CLIENT and caller.person != parties.client_id:
        return False
    if caller.role == Role.PEER and caller.person != parties.peer_id:
        return False
    if caller.role == Role.CLINIC:
        return parties.clinic_id in caller.orgs
    return _serves(caller, {parties.clinic_id, parties.peer_organisation_id})


def _serves(caller: Caller, organisations: Set[UUID | None]) -> bool:
    """Whether the token is for one of them; a person's token may name no organisation."""
    if caller.role in (Role.PEER, Role.CLIENT) and not caller.orgs:
        return caller.person is not None
    return not caller.orgs.isdisjoint(organisations)
