"""A bare handler: stock nameko, JSON in, one INSERT that commits, JSON out; nothing else.

`python -m tests.benchmarks.bare.web HOST:PORT DSN`
"""

# ruff: noqa: E402
import os

import eventlet

eventlet.monkey_patch()
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import json
import sys
from typing import Any
from uuid import uuid4

from nameko.runners import ServiceRunner
from nameko.web.handlers import http
from psycopg_pool import ConnectionPool

from services.chassis.hosting import green_wait

PATH = "/api/referrals/referrals"
TABLE = "CREATE TABLE taken (id uuid PRIMARY KEY, body jsonb NOT NULL)"
_POOL_SIZE = 8


def service(pool: ConnectionPool[Any]) -> type:
    class Bare:
        name = "bare"

        @http("POST", PATH)  # type: ignore[untyped-decorator]
        def take(self, request: Any) -> tuple[int, dict[str, str], str]:
            body = json.loads(request.get_data())
            referral_id = str(uuid4())
            with pool.connection() as connection:
                connection.execute(
                    "INSERT INTO taken (id, body) VALUES (%s, %s)", (referral_id, json.dumps(body))
                )
            answer = json.dumps({"id": referral_id, **body})
            return 201, {"Content-Type": "application/json"}, answer

    return Bare


def main(address: str, dsn: str) -> None:
    green_wait.install()  # the same as the measured side has
    pool = ConnectionPool(dsn, min_size=1, max_size=_POOL_SIZE, kwargs={"autocommit": True})
    runner = ServiceRunner({"WEB_SERVER_ADDRESS": address})
    runner.add_service(service(pool))
    runner.start()
    runner.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
