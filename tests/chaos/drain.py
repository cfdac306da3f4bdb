"""Waiting until all is quiet: nothing unsent, nothing on its way, nothing that waits or is due."""

import time
from collections.abc import Collection
from uuid import UUID

import amqp
import psycopg

from tests.acceptance.ledgers import lost
from tests.acceptance.running import SERVICES, Running

_POLL_SECONDS = 0.5
_STANDING = """
    SELECT (SELECT count(*) FROM outbox) AS unsent,
           (SELECT count(*) FROM deferred
             WHERE state = 'waiting' AND NOT aggregate_id = ANY (%s)) AS waiting
"""
_DUE = """
    SELECT count(*) AS due
      FROM messages
     WHERE state IN ('planned', 'sending') AND not_before < now() + interval '1 minute'
"""


def left(system: Running, made_up: Collection[UUID] = ()) -> dict[str, int]:
    """How much there is still to do, without what stands behind made-up aggregates."""
    unsent = waiting = 0
    for service in SERVICES:
        [row] = system.rows(service, _STANDING, list(made_up))
        unsent, waiting = unsent + row["unsent"], waiting + row["waiting"]
    due = system.rows("notifications", _DUE)[0]["due"]
    found = {"unsent": unsent, "waiting": waiting, "mails due": due}
    if not any(found.values()):
        found["on their way"] = len(lost(system))
    return {what: count for what, count in found.items() if count}


def wait_until_drained(
    system: Running, seconds: float, made_up: Collection[UUID] = ()
) -> tuple[float, dict[str, int]]:
    """How long it took, and what is left if it took too long."""
    began = time.monotonic()
    while True:
        try:
            found = left(system, made_up)
        except (psycopg.OperationalError, amqp.AMQPError, OSError) as error:
            found = {type(error).__name__: 1}
        lasted = time.monotonic() - began
        if not found or lasted > seconds:
            return lasted, found
        time.sleep(_POLL_SECONDS)
