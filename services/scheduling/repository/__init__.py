"""All SQL of scheduling. One method, one statement, on the caller's transaction."""

from services.scheduling.repository.claims import Claim, Claims
from services.scheduling.repository.contacts import ContactFilter, Contacts
from services.scheduling.repository.leaves import Leaves, Questions
from services.scheduling.repository.matches import Matches
from services.scheduling.repository.organisations import Organisations
from services.scheduling.repository.people import AvailabilityOf, People, Person
from services.scheduling.repository.rooms import Room, Rooms
from services.scheduling.repository.sessions import SessionFilter, Sessions

__all__ = [
    "AvailabilityOf",
    "Claim",
    "Claims",
    "ContactFilter",
    "Contacts",
    "Leaves",
    "Matches",
    "Organisations",
    "People",
    "Person",
    "Questions",
    "Room",
    "Rooms",
    "SessionFilter",
    "Sessions",
]
