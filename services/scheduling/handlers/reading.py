"""Reading sessions, one or page by page."""

from datetime import datetime
from uuid import UUID

from services.chassis.cursors import decode, page_of
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.handlers.access import caller_of, check_parties
from services.scheduling.handlers.views import session_view
from services.scheduling.repository import SessionFilter, Sessions


def show_session(request: Request, work: Work) -> Answer:
    session, caller = Sessions(work.connection).find(request.path["session_id"]), caller_of(request)
    if session is None:
        raise NotFound
    check_parties(caller, session.parties)
    return Answer(session_view(session, caller, work), version=session.version)


def list_sessions(request: Request, work: Work) -> Answer:
    """In order of their start; peers and clients see their own, staff their organisations'."""
    caller, query = caller_of(request), request.query
    if caller.role == Role.CLINIC:
        return _list_states(request, caller, work)
    if caller.role in (Role.PEER, Role.CLIENT) and caller.person is None:
        raise NotFound
    after = decode(query["cursor"], datetime, UUID) if query["cursor"] else (None, None)
    wanted = SessionFilter(
        served_ids=list(caller.orgs) if caller.role == Role.COORDINATOR else None,
        match_id=query["match_id"],
        own_as_client=caller.person if caller.role == Role.CLIENT else None,
        own_as_peer=caller.person if caller.role == Role.PEER else None,
        person_id=query["person"],
        from_=query["from_"],
        to=query["to"],
        after_start=after[0],
        after_id=after[1],
        limit=query["limit"] + 1,
    )
    rows = Sessions(work.connection).page(wanted)
    page, more = page_of(rows, query["limit"], lambda session: (session.starts_at, session.id))
    return Answer([session_view(session, caller, work) for session in page], next_cursor=more)


def _list_states(request: Request, caller: Caller, work: Work) -> Answer:
    """In order of their ids: no order, filter or cursor tells a clinic when a session is."""
    query = request.query
    times = {"from": query["from_"], "to": query["to"]}
    if any(times.values()):
        raise Invalid({name: ["Not for clinics."] for name, given in times.items() if given})
    rows = Sessions(work.connection).page_of_clinics(
        list(caller.orgs),
        match_id=query["match_id"],
        client_id=query["person"],
        after_id=decode(query["cursor"], UUID)[0] if query["cursor"] else None,
        limit=query["limit"] + 1,
    )
    page, more = page_of(rows, query["limit"], lambda session: (session.id,))
    return Answer([session_view(session, caller, work) for session in page], next_cursor=more)
