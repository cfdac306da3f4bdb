"""What the databases say of every event: that none is on its way, and that none was lost."""

from typing import Any

from deploy.events_catalogue import queues
from tests.acceptance.running import SERVICES, Running, eventually

_DRAIN_SECONDS = 60.0


def wait_until_drained(system: Running, seconds: float = _DRAIN_SECONDS) -> None:
    """Wait until every event has left its outbox and each queue's consumer is done with it."""
    eventually(lambda: not unsent(system), "every outbox is empty", seconds=seconds)
    eventually(lambda: not lost(system), "every event reached its consumers", seconds=seconds)
    eventually(lambda: not waiting(system), "nothing waits for another try", seconds=seconds)


def unsent(system: Running) -> list[dict[str, Any]]:
    query = "SELECT type, sequence, problem FROM outbox"
    return [row for service in SERVICES for row in system.rows(service, query)]


def lost(system: Running) -> set[tuple[str, str]]:
    """Events that a producer sent and a consumer of theirs never saw, by queue and id."""
    missing = set()
    for queue in queues():
        producer = queue.exchange.removesuffix(".events")
        aggregate = queue.binding.removesuffix(".#")
        query = "SELECT event_id FROM outbox_sent WHERE aggregate = %s"
        sent = {row["event_id"] for row in system.rows(producer, query, aggregate)}
        query = "SELECT event_id FROM inbox WHERE consumer = %s"
        seen = {row["event_id"] for row in system.rows(queue.consumer, query, queue.name)}
        missing |= {(queue.name, str(event_id)) for event_id in sent - seen}
    return missing


def waiting(system: Running) -> list[dict[str, Any]]:
    query = "SELECT consumer, type, reason FROM deferred WHERE state = 'waiting'"
    return [row for service in SERVICES for row in system.rows(service, query)]


def holes(system: Running) -> list[dict[str, Any]]:
    """Aggregates whose sent events are not numbered 1, 2, 3 … without a hole."""
    query = """
        SELECT aggregate, aggregate_id, count(DISTINCT sequence) AS events, max(sequence) AS last
          FROM outbox_sent
         GROUP BY aggregate, aggregate_id
        HAVING count(DISTINCT sequence) <> max(sequence) OR min(sequence) <> 1
    """
    return [row for service in SERVICES for row in system.rows(service, query)]


def deferred_of(system: Running, service: str, aggregate_id: str) -> list[dict[str, Any]]:
    query = """
        SELECT consumer, type, sequence, state, reason
          FROM deferred
         WHERE aggregate_id = %s
         ORDER BY sequence
    """
    return system.rows(service, query, aggregate_id)
