"""Whether a process may be sent work, and what it counts."""

from collections.abc import Callable

import psycopg
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis import migrate
from services.chassis.http.raw import RawResponse
from services.chassis.problems import Unavailable
from services.chassis.work import Workplace

Endpoint = Callable[[], RawResponse]

_WAIT_SECONDS = 2
_JSON = {"Content-Type": "application/json"}


def live() -> RawResponse:
    return RawResponse(status=200, headers=_JSON, body=b'{"status": "live"}')


def readiness(workplace: Workplace) -> Endpoint:
    """Ready when the database answers and has every migration this code knows."""

    def ready() -> RawResponse:
        try:
            with workplace.database.pool.connection(timeout=_WAIT_SECONDS) as connection:
                lacking = migrate.pending(connection, workplace.service.name)
        except psycopg.OperationalError as error:
            raise Unavailable(_WAIT_SECONDS, "The database does not answer.") from error
        except psycopg.errors.UndefinedTable as error:
            raise Unavailable(_WAIT_SECONDS, "The database has no tables yet.") from error
        if lacking:
            raise Unavailable(_WAIT_SECONDS, f"{len(lacking)} migrations are not applied yet.")
        return RawResponse(status=200, headers=_JSON, body=b'{"status": "ready"}')

    return ready


def metrics() -> RawResponse:
    """Every metric of this process, as Prometheus reads them."""
    return RawResponse(
        status=200, headers={"Content-Type": CONTENT_TYPE_LATEST}, body=generate_latest()
    )
