"""Whose request it is, and whether a match is theirs: the first wall, before the database's."""

from services.chassis.http.request import Caller, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import CLIENT, CLINIC, PEER
from services.matching.repository.matches import Match


def caller_of(request: Request) -> Caller:
    if request.caller is None:
        raise NotFound
    return request.caller


def require_side(caller: Caller, match: Match | None) -> Match:
    """The match if the caller is on one of its sides; else it is as if there were none."""
    if match is None or not _is_side(caller, match):
        raise NotFound
    return match


def require_clinic_side(caller: Caller, match: Match | None) -> Match:
    """The match for who may know of everybody proposed: the client, and who serves the clinic."""
    if match is None:
        raise NotFound
    is_own = caller.person == match.client_id if caller.role is CLIENT else False
    serves = caller.is_staff and match.clinic_id in caller.orgs
    if not (is_own or serves):
        raise NotFound
    return match


def require_named(request: Request, person: object) -> None:
    """Who records for somebody may say for whom; it has to be the one concerned."""
    named = (request.body or {}).get("recorded_for")
    if named is not None and named != person:
        raise Invalid({"recorded_for": ["Not the person concerned."]})


def _is_side(caller: Caller, match: Match) -> bool:
    if caller.role is CLIENT:
        return caller.person is not None and caller.person == match.client_id
    if caller.role is PEER:
        return caller.person is not None and caller.person == match.peer_id
    if caller.role is CLINIC:
        return match.clinic_id in caller.orgs
    return bool({match.clinic_id, match.peer_organisation_id} & caller.orgs)
