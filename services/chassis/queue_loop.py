"""The loops that feed a consumer: one per queue, and one for what was set aside."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis import deferred, events, metrics
from services.chassis.broker import Inbound, open_connection
from services.chassis.consumer import Handling
from services.chassis.deferred import Delivery
from services.chassis.errors import UnreadableEvent
from services.chassis.pace import Pace
from services.chassis.work import Work

# After this many deliveries that nobody answered, an event is handled by itself: whatever broke
# twice must not take its neighbours along again. Once alone may have been a lost connection, which
# returns hundreds of innocent events.
ALONE_DELIVERIES = 2
# After this many it is tried apart from the queue, where an attempt is counted even if it kills
# the process.
SUSPECT_DELIVERIES = 3


@dataclass
class QueueLoop:
    """Fetches one queue in batches of `batch_size` at the most; acknowledges what was committed."""

    handling: Handling
    batch_size: int

    @property
    def name(self) -> str:
        return f"consume {self.handling.queue}"

    def run(self, stopping: Callable[[], bool]) -> None:
        """Consume until told to stop; raises when the broker or the database is lost."""
        self._require_database()
        url = self.handling.workplace.settings.broker
        with open_connection(url, self.handling.queue) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            channel.basic_qos(0, self.batch_size * 2, False)
            waiting: list[Any] = []
            pace = Pace(self.batch_size)
            channel.basic_consume(
                self.handling.queue, callback=waiting.append, on_cancel=_queue_deleted
            )
            inbound = Inbound(connection)
            while not stopping():
                self._fetch(inbound, waiting, pace.size)
                if waiting:
                    batch, waiting[:] = waiting[: pace.size], waiting[pace.size :]
                    pace.note(len(batch), self._handle(batch))
                    channel.basic_ack(batch[-1].delivery_info["delivery_tag"], multiple=True)
                connection.heartbeat_check()

    def _require_database(self) -> None:
        """Take nothing while the database is away: each return counts as a delivery."""
        with self.handling.workplace.database.transaction():
            return

    def _fetch(self, inbound: Inbound, waiting: list[Any], enough: int) -> None:
        """Wait up to half a second for a first delivery, then take what is already there."""
        if not waiting:
            inbound.read(until=lambda: bool(waiting), seconds=0.5)
        if waiting:
            inbound.read(until=lambda: len(waiting) >= enough, seconds=0.001)

    def _handle(self, batch: Sequence[Any]) -> float:
        """Handle what was fetched; how long it took."""
        began = time.monotonic()
        together: list[Delivery] = []
        for message in batch:
            delivery = Delivery(
                headers=message.headers or {},
                content_type=message.properties.get("content_type"),
                body=bytes(message.body),
            )
            count = _deliveries_before(message)
            if count < ALONE_DELIVERIES:
                together.append(delivery)
                continue
            self.handling.handle(together)
            together = []
            self._handle_alone(delivery, count)
        self.handling.handle(together)
        seconds = time.monotonic() - began
        metrics.BATCH_SECONDS.labels(self.handling.queue).observe(seconds)
        return seconds

    def _handle_alone(self, delivery: Delivery, count: int) -> None:
        if count < SUSPECT_DELIVERIES:
            return self.handling.handle([delivery])
        try:
            event = events.read(delivery.headers, delivery.content_type, delivery.body)
        except UnreadableEvent:
            return self.handling.handle([delivery])
        return self.handling.set_aside(
            event,
            delivery,
            reason="delivered repeatedly without an answer",
            parked=False,
            attempts=0,
        )


@dataclass
class RetryLoop:
    """Tries again what was set aside, each aggregate in order."""

    handlings: Mapping[str, Handling]
    name: str = "retry deferred"

    def run(self, stopping: Callable[[], bool]) -> None:
        workplace = next(iter(self.handlings.values())).workplace
        overtaking = [type_ for one in self.handlings.values() for type_ in one.overtaking]
        while not stopping():
            with workplace.begin() as work:
                found = deferred.due(work.connection, list(self.handlings), work.now, overtaking)
                queues = _queues_of(work, found)
            for deferred_id in found:
                if stopping():
                    return
                if queue := queues.get(deferred_id):  # another replica may have settled it
                    self.handlings[queue].retry(deferred_id)
            if not found:
                time.sleep(0.25)


def _queues_of(work: Work, deferred_ids: Sequence[int]) -> dict[int, str]:
    query = "SELECT id, consumer FROM deferred WHERE id = ANY (%s)"
    rows = work.connection.execute(query, (list(deferred_ids),))
    return {row["id"]: row["consumer"] for row in rows}


def _deliveries_before(message: Any) -> int:
    """How often it was delivered before; a broker that does not count makes it stand alone."""
    if not message.delivery_info["redelivered"]:
        return 0
    count = (message.headers or {}).get("x-delivery-count")
    return count if isinstance(count, int) else ALONE_DELIVERIES


def _queue_deleted(_tag: str) -> None:
    raise ConnectionError("the broker ended the subscription: the queue is gone")
