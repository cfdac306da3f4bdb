"""What a person prefers: the language, and how much a message says."""

from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import CLIENT, PEER
from services.chassis.work import Work
from services.notifications.domain.kinds import Recipient
from services.notifications.events import PreferenceChanged
from services.notifications.repository.people import People


def show_preferences(request: Request, work: Work) -> Answer:
    row = People(work.connection).find(_person(request, work))
    if row is None:
        raise NotFound
    return Answer(row, version=row["version"])


def put_preferences(request: Request, work: Work) -> Answer:
    person_id = _person(request, work)
    people = People(work.connection)
    row = people.lock(person_id)
    if row is None:
        raise NotFound
    request.expects(row["version"])
    changed = people.prefer(person_id, **request.body)
    if changed is None:
        raise NotFound
    work.emit(PreferenceChanged(person_id=person_id), org=row["organisation_id"])
    return Answer(changed, version=changed["version"])


def _person(request: Request, work: Work) -> UUID:
    """The person in the path, if the caller may speak for that person.

    A person may say so before any message was planned; staff name only whom we know.
    """
    person_id: UUID = request.path["id"]
    caller = request.caller
    if caller is None or (caller.role in {CLIENT, PEER} and caller.person != person_id):
        raise NotFound
    if caller.role in {CLIENT, PEER}:
        people = People(work.connection)
        if people.find(person_id) is None:
            people.remember(
                person_id, role=Recipient(caller.role), organisation_id=_home(caller.orgs)
            )
    return person_id


def _home(orgs: frozenset[UUID]) -> UUID:
    if len(orgs) != 1:
        raise Invalid({"id": ["We do not know yet to which organisation this person belongs."]})
    return next(iter(orgs))
