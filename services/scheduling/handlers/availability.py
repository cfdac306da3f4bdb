"""A person's hours: read by the person and the coordinator, replaced as a whole."""

from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.scheduling.handlers.access import caller_of, check_person
from services.scheduling.questions import Learned
from services.scheduling.repository import AvailabilityOf, People


def show_availability(request: Request, work: Work) -> Answer:
    person_id = request.path["person_id"]
    check_person(caller_of(request), People(work.connection).find(person_id))
    found = AvailabilityOf(work.connection).find(person_id)
    if found is None:
        raise NotFound
    availability, version = found
    return Answer(availability, version=version)


def put_availability(request: Request, work: Work) -> Answer:
    """Replace the hours; sessions booked already stay where they are."""
    learned: Learned = work.answer
    people = People(work.connection)
    if learned.person is not None:
        people.remember(learned.person)
    person = check_person(caller_of(request), people.lock(request.path["person_id"]))
    hours = AvailabilityOf(work.connection)
    before = hours.find(person.id)
    if before is not None:
        request.expects(before[1])
    version = hours.put(person, request.body)
    return Answer(request.body, version=version)
