"""A service of one route that blocks the hub; test_watchdogs hosts it."""

import time

from services.chassis.http.request import Answer, Request
from services.chassis.roles import OPERATOR
from services.chassis.service import Service, route
from services.chassis.work import Work


def spin(_request: Request, _work: Work) -> Answer:
    """Compute for a minute without ever giving the hub a turn."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass
    return Answer()


class Spinning(Service):
    name = "matching"

    spin = route("POST", "/spin", roles={OPERATOR}, status=204, handler=spin)
