"""Peer organisations and clinics: register, read, list."""

from typing import Any
from uuid import UUID

from services.chassis import cursors, organisations
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import NotFound
from services.chassis.roles import OPERATOR
from services.chassis.work import Work
from services.matching.events import PeerOrganisationRegistered
from services.matching.handlers.callers import caller_of
from services.matching.repository.peers import PeerOrganisations


def put_peer_organisation(request: Request, work: Work) -> Answer:
    """Register it or change its facts; the same facts again change nothing."""
    organisation_id = request.path["peer_organisation_id"]
    _require_own(caller_of(request), organisation_id)
    peer_organisations = PeerOrganisations(work.connection)
    facts = {**request.body, "id": organisation_id}
    known = peer_organisations.lock(organisation_id)
    if known is not None:
        version = known.pop("version")
        if known == facts:
            return Answer(body=known, version=version)
        request.expects(version)
    version = peer_organisations.store(facts)
    organisations.remember(work, kind="peer-organisation", **facts)
    told = {name: value for name, value in facts.items() if name != "id"}
    work.emit(
        PeerOrganisationRegistered(peer_organisation_id=organisation_id, **told),
        org=organisation_id,
    )
    status = 201 if known is None else 200
    location = f"/peer-organisations/{organisation_id}"
    return Answer(body=facts, version=version, status=status, location=location)


def read_peer_organisation(request: Request, work: Work) -> Answer:
    organisation_id = request.path["peer_organisation_id"]
    _require_own(caller_of(request), organisation_id)
    row = PeerOrganisations(work.connection).find(organisation_id)
    if row is None:
        raise NotFound
    return Answer(body=row, version=row["version"])


def list_peer_organisations(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    cursor, limit = request.query["cursor"], request.query["limit"]
    after = cursors.decode(cursor, UUID)[0] if cursor else None
    ids = None if caller.role is OPERATOR else caller.orgs
    rows = PeerOrganisations(work.connection).page(ids, after, limit + 1)
    page, following = cursors.page_of(rows, limit, lambda row: (row["id"],))
    return Answer(body=page, next_cursor=following)


def remember_clinic(event: dict[str, Any], work: Work) -> None:
    organisations.remember(
        work,
        id=event["clinic_id"],
        kind="clinic",
        name=event["name"],
        time_zone=event["time_zone"],
        area=event["area"],
    )


def _require_own(caller: Caller, organisation_id: Any) -> None:
    """An operator runs the region; everybody else sees their own organisations."""
    if caller.role is not OPERATOR and organisation_id not in caller.orgs:
        raise NotFound
