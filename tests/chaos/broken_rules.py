"""Rules that the services keep, each broken from outside, so that the checker is seen to notice.

`set_` is a test's monkeypatch.setattr: production code holds no switch for any of this.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import amqp
import psycopg

from services.chassis import inbox, relay
from tests.chaos.crash_points import Set


def acknowledge_before_commit(set_: Set) -> None:
    """The broker takes an event for done when it hands it over."""
    consume = amqp.Channel.basic_consume

    def without_ack(channel: Any, queue: str, **named: Any) -> Any:
        return consume(channel, queue, no_ack=True, **named)

    set_(amqp.Channel, "basic_consume", without_ack)
    set_(amqp.Channel, "basic_ack", lambda *_, **__: None)


def delete_before_confirm(set_: Set) -> None:
    """A row moves when it is read, whatever becomes of its publishing."""
    read = relay.read_batch

    def read_and_move(*arguments: Any) -> list[dict[str, Any]]:
        rows = read(*arguments)
        relay.settle(arguments[0], relay.Answers(confirmed=[*rows]))
        return rows

    set_(relay, "read_batch", read_and_move)


def publish_without_mandatory(set_: Set) -> None:
    """The broker may throw away what no queue takes."""
    publish = amqp.Channel.basic_publish

    def not_mandatory(channel: Any, message: Any, **named: Any) -> Any:
        return publish(channel, message, **{**named, "mandatory": False})

    set_(amqp.Channel, "basic_publish", not_mandatory)


def enter_inbox_after_effect(set_: Set) -> None:
    """Whoever has not seen an event committed takes it for new, and enters it at the end."""
    store = inbox.store_positions
    looked_at: dict[int, tuple[str, Any]] = {}

    def look(
        connection: psycopg.Connection[Any], queue: str, events: Any
    ) -> tuple[set[UUID], dict[UUID, inbox.Position]]:
        looked_at[id(connection)] = queue, events
        query = "SELECT event_id FROM inbox WHERE consumer = %s AND event_id = ANY (%s)"
        ids = {event.id for event in events}
        seen = {row["event_id"] for row in connection.execute(query, (queue, list(ids)))}
        subjects = [event.subject for event in events]
        return ids - seen, inbox.lock_positions(connection, queue, subjects)

    def store_and_enter(connection: Any, *arguments: Any) -> None:
        store(connection, *arguments)
        inbox.take_first_deliveries(connection, *looked_at.pop(id(connection)))

    set_(inbox, "begin", look)
    set_(inbox, "store_positions", store_and_enter)


BreakRule = Callable[[Set], None]
