"""Rooms where sessions can be held, kept by their peer organisation."""

from dataclasses import replace
from uuid import UUID

from services.chassis.cursors import decode, page_of
from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.work import Work
from services.scheduling.handlers.access import caller_of
from services.scheduling.repository import Organisations, Room, Rooms


def list_rooms(request: Request, work: Work) -> Answer:
    cursor, limit = request.query["cursor"], request.query["limit"]
    after = decode(cursor, UUID)[0] if cursor else None
    found = Rooms(work.connection).page(sorted(caller_of(request).orgs), after, limit + 1)
    page, more = page_of(found, limit, lambda room: (room.id,))
    return Answer(page, next_cursor=more)


def show_room(request: Request, work: Work) -> Answer:
    room = _own(Rooms(work.connection).find(request.path["room_id"]), request)
    return Answer(room, version=room.version)


def put_room(request: Request, work: Work) -> Answer:
    """Add a room, or change what is told of it."""
    rooms = Rooms(work.connection)
    known = rooms.lock(request.path["room_id"])
    if known is None:
        return _add(request, work)
    request.expects(_own(known, request).version)
    facts = dict(request.body)
    if facts.pop("organisation_id", known.peer_organisation_id) != known.peer_organisation_id:
        raise Invalid({"organisation_id": ["A room stays with its organisation."]})
    room = replace(known, **facts, version=known.version + 1)
    rooms.change(room)
    return Answer(room, version=room.version)


def _add(request: Request, work: Work) -> Answer:
    organisation_id, time_zone = _organisation_of(request, work)
    room = Room(
        id=request.path["room_id"],
        peer_organisation_id=organisation_id,
        name=request.body["name"],
        area=request.body["area"],
        time_zone=time_zone,
        step_free=request.body["step_free"],
    )
    if not Rooms(work.connection).add(room):
        raise NotFound  # the id is in use where the caller cannot look
    return Answer(room, version=room.version)


def _organisation_of(request: Request, work: Work) -> tuple[UUID, str]:
    """The room's organisation and zone: as told, else what only one of the caller's can be.

    An organisation that no event has brought yet counts as a peer organisation.
    """
    orgs = caller_of(request).orgs
    known = {row["id"]: row for row in Organisations(work.connection).among(sorted(orgs))}
    clinics = {id_ for id_, row in known.items() if row["kind"] == "clinic"}
    told = request.body.get("organisation_id")
    possible = (orgs - clinics) & ({told} if told else orgs)
    if len(possible) != 1:
        words = "Not one of your peer organisations." if told else "Say which of yours it is."
        raise Invalid({"organisation_id": [words]})
    organisation_id = next(iter(possible))
    row = known.get(organisation_id)
    time_zone = request.body.get("time_zone") or (row["time_zone"] if row else None)
    if time_zone is None:
        raise Invalid({"time_zone": ["Missing data for required field."]})
    return organisation_id, time_zone


def _own(room: Room | None, request: Request) -> Room:
    if room is None or room.peer_organisation_id not in caller_of(request).orgs:
        raise NotFound
    return room
