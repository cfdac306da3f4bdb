"""What scheduling asks of the services that own a fact, when no event has brought it yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.chassis.events import Received
from services.chassis.http.request import Preparation, Request
from services.chassis.internal import Directory
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain.sessions import Match
from services.scheduling.repository import Matches, People, Person
from services.scheduling.schemas.heard import (
    ToldMatchesSchema,
    ToldPeersSchema,
    ToldPeopleSchema,
)

PURPOSE = "scheduling"
MOST_IDS = 200
_MATCHES, _PEERS, _PEOPLE = ToldMatchesSchema(), ToldPeersSchema(), ToldPeopleSchema()


@dataclass(frozen=True)
class Learned:
    """Facts that the transaction takes over before it does what it was begun for."""

    person: Person | None = None
    match: Match | None = None


def person(request: Request, preparation: Preparation) -> Learned:
    """The person, if a command added them so recently that their event is still on its way.

    Who speaks for themselves has nobody else's service asked: being told is a disclosure.
    """
    person_id, caller = request.path["person_id"], request.caller
    if caller is None or (caller.role != Role.COORDINATOR and caller.person != person_id):
        return Learned()
    if preparation.read(_person_of(person_id)):
        return Learned()
    orgs, directory = preparation.read(_acting), preparation.directory
    found = None
    if caller.role != Role.CLIENT:
        found = _peer(person_id, orgs, directory)
    if found is None and caller.role != Role.PEER:
        found = next(iter(_clients([person_id], orgs, directory)), None)
    return Learned(person=found)


def match(request: Request, preparation: Preparation) -> Learned:
    """The match and its peer, if their events are still on their way."""
    match_id: UUID = request.path.get("match_id") or request.body["match_id"]
    directory, learned = preparation.directory, None
    found = preparation.read(_match_of(match_id))
    if found is None:
        found = learned = _match(match_id, preparation.read(_acting), directory)
    if found is None or found.peer_id is None or found.peer_organisation_id is None:
        return Learned(match=learned)
    organisations = [found.peer_organisation_id]
    if preparation.read(_person_of(found.peer_id, organisations)):
        return Learned(match=learned)
    return Learned(_peer(found.peer_id, organisations, directory), learned)


def zones(received: Sequence[Received], directory: Directory) -> Mapping[UUID, Person]:
    """The clients whom these events name, with their time zones, by event."""
    named = {event.id: _client_id(event) for event in received}
    wanted = sorted({client_id for client_id in named.values() if client_id is not None})
    orgs = {org for event in received for org in event.orgs}
    found: dict[UUID, Person] = {}
    for first in range(0, len(wanted), MOST_IDS):
        clients = _clients(wanted[first : first + MOST_IDS], orgs, directory)
        found |= {client.id: client for client in clients}
    return {
        event_id: found[client_id] for event_id, client_id in named.items() if client_id in found
    }


def _acting(work: Work) -> frozenset[UUID]:
    return frozenset(work.orgs)


def _match_of(match_id: UUID) -> Callable[[Work], Match | None]:
    return lambda work: Matches(work.connection).find(match_id)


def _person_of(
    person_id: UUID, organisations: Iterable[UUID] = ()
) -> Callable[[Work], Person | None]:
    def look(work: Work) -> Person | None:
        work.act_for(organisations)
        return People(work.connection).find(person_id)

    return look


def _match(match_id: UUID, orgs: Iterable[UUID], directory: Directory) -> Match | None:
    body = {"ids": [match_id]}
    told = directory.ask("matching", "/internal/matches", purpose=PURPOSE, orgs=orgs, body=body)
    for facts in _MATCHES.load(told)["matches"]:
        return Match(id=facts.pop("match_id"), **facts)
    return None


def _peer(peer_id: UUID, orgs: Iterable[UUID], directory: Directory) -> Person | None:
    body = {"ids": [peer_id]}
    told = directory.ask("matching", "/internal/peers", purpose=PURPOSE, orgs=orgs, body=body)
    for peer in _PEERS.load(told)["peers"]:
        return Person(
            id=peer["peer_id"],
            kind="peer",
            organisation_id=peer["peer_organisation_id"],
            time_zone=peer["time_zone"],
        )
    return None


def _clients(
    client_ids: Sequence[UUID], orgs: Iterable[UUID], directory: Directory
) -> list[Person]:
    body = {"ids": list(client_ids)}
    told = directory.ask("referrals", "/internal/people", purpose=PURPOSE, orgs=orgs, body=body)
    return [
        Person(
            id=client["client_id"],
            kind="client",
            organisation_id=client["clinic_id"],
            time_zone=client["time_zone"],
        )
        for client in _PEOPLE.load(told)["people"]
    ]


def _client_id(event: Received) -> UUID | None:
    """The client an event names; what is not readable is said when the event is handled."""
    try:
        return UUID(event.data["client_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
