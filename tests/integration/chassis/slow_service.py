"""A service of one route that waits in the database; test_web_process hosts it."""

from services.chassis.http.request import Answer, Request
from services.chassis.roles import OPERATOR
from services.chassis.service import Service, route
from services.chassis.work import Work


def wait_for_lock(_request: Request, work: Work) -> Answer:
    """Wait as long as the test holds the lock."""
    work.connection.execute("SELECT pg_advisory_xact_lock_shared(4711)")
    return Answer()


class Slow(Service):
    name = "matching"

    wait = route("POST", "/wait", roles={OPERATOR}, status=204, handler=wait_for_lock)
