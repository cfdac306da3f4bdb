"""Loads the calendars of a session's two people and of its room from what is stored."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.availability import Availability
from services.scheduling.domain.sessions import Parties
from services.scheduling.domain.spans import Span
from services.scheduling.domain.times import Calendar, bookable, find_times
from services.scheduling.domain.zones import names
from services.scheduling.repository import (
    AvailabilityOf,
    Claim,
    Claims,
    Leaves,
    People,
    Room,
    Rooms,
)


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Who meets and where, and the hours both gave; a client who gave none is open to any."""

    parties: Parties
    room: Room | None
    peer_hours: Availability
    client_hours: Availability | None
    time_zone: str

    def claims(self, session: Span) -> list[Claim]:
        """What a session takes of each calendar, the peer's rest included."""
        rested = session.extended(policy.PEER_REST_AFTER)
        claims = [
            Claim(kind="peer", resource_id=self.parties.peer_id, during=rested),
            Claim(kind="client", resource_id=self.parties.client_id, during=session),
        ]
        if self.room:
            claims.append(Claim(kind="room", resource_id=self.room.id, during=session))
        return claims


def load_sides(parties: Parties, room_id: UUID | None, work: Work) -> Sides:
    """Both sides: whoever is party to a match may count on the hours of the other side."""
    work.act_for([parties.clinic_id, parties.peer_organisation_id])
    hours, peer_id = AvailabilityOf(work.connection), parties.peer_id
    peer_hours, client_hours = hours.find(peer_id), hours.find(parties.client_id)
    peer = People(work.connection).find(peer_id)
    room = _room(parties, room_id, work)
    time_zone = _first_known(
        room.time_zone if room else None,
        peer_hours[0].time_zone if peer_hours else None,
        peer.time_zone if peer else None,
    )
    return Sides(
        parties=parties,
        room=room,
        peer_hours=replace(
            peer_hours[0] if peer_hours else Availability(time_zone, ()),
            away=tuple(leave.span for leave in Leaves(work.connection).of_peer(peer_id, work.now)),
        ),
        client_hours=client_hours[0] if client_hours else None,
        time_zone=time_zone,
    )


def free_times(
    sides: Sides, window: Span, length: timedelta, work: Work, besides: UUID | None = None
) -> list[Span]:
    """Times that suit everybody, as if the session given did not exist.

    What other organisations' sessions take of a calendar is taken too; of those sessions
    nothing else is read.
    """
    work.act_for_all()
    window = bookable(window, work.now)
    claims = Claims(work.connection)
    around = window.extended(policy.PEER_REST_AFTER)

    def calendar(id_: UUID, hours: Availability | None, rest: timedelta) -> Calendar:
        return Calendar(hours, claims.taken(id_, around, besides), rest)

    none = timedelta(0)
    calendars = [
        calendar(sides.parties.peer_id, sides.peer_hours, policy.PEER_REST_AFTER),
        calendar(sides.parties.client_id, sides.client_hours, none),
    ]
    if sides.room:
        calendars.append(calendar(sides.room.id, None, none))
    return find_times(calendars, window=window, length=length, time_zone=sides.time_zone)


def zone_of(person_id: UUID, work: Work) -> str | None:
    """The zone a person lives by: that of the hours they gave, else what their service told."""
    hours = AvailabilityOf(work.connection).find(person_id)
    person = People(work.connection).find(person_id)
    told = hours[0].time_zone if hours else person.time_zone if person else None
    return told if told in names() else None


def _first_known(*time_zones: str | None) -> str:
    """A session keeps the clock of its place, else of its peer."""
    return next((zone for zone in time_zones if zone and zone in names()), "UTC")


def _room(parties: Parties, room_id: UUID | None, work: Work) -> Room | None:
    if room_id is None:
        return None
    room = Rooms(work.connection).find(room_id)
    if room is None or room.peer_organisation_id != parties.peer_organisation_id:
        raise Invalid({"room_id": ["Not a room of this peer organisation."]})
    return room
