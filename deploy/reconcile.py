"""Compare what every service was sent with what it has, and have sent again what lacks."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from deploy.as_service import as_service, own_dsn
from deploy.machine.running_system import RunningSystem
from deploy.topology import declared_services
from services.chassis.errors import OwnerAway
from services.chassis.internal import Directory
from services.chassis.reconcile import Lacking, ask_again, heal, lacking, sweep
from services.chassis.service import Consumed, Service
from services.chassis.work import Workplace

# What is on its way arrives within this time, or the number of what lacks goes down.
_STILL_SECONDS = 3.0
_HEAL_SECONDS = 20.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Gap:
    """A run of numbers of one aggregate's events that a queue lacked, and what became of it.

    `remains` says why it could not be healed.
    """

    queue: str
    aggregate_id: UUID | None
    first: int
    last: int
    sent_again: int
    remains: str | None = None

    def __str__(self) -> str:
        if self.aggregate_id is None:
            return f"{self.queue}: {self.remains}"
        fate = f"not healed, {self.remains}" if self.remains else "handled"
        numbers = f"#{self.first} to #{self.last}"
        return f"{self.queue} {self.aggregate_id} {numbers}: {self.sent_again} sent again, {fate}"


def reconcile(system: RunningSystem) -> Iterator[Gap]:
    for service in declared_services():
        dsn = own_dsn(system, service.name)
        with as_service(system, service.name, dsn) as (workplace, directory):
            for queue, consumed in service.queues().items():
                yield from _compare(workplace, directory, queue, consumed)
            yield from _gaps_left(workplace, directory, service)


def _compare(
    workplace: Workplace, directory: Directory, queue: str, consumed: Sequence[Consumed]
) -> Iterator[Gap]:
    try:
        found = sweep(workplace, directory, queue, consumed)
        missing = _once_still(workplace, found, _STILL_SECONDS)
        ask_again(directory, missing)
    except OwnerAway as away:
        yield Gap(queue, None, 0, 0, 0, f"not compared, {away} does not answer")
        return
    left = {one.event_id for one in _once_still(workplace, missing, _HEAL_SECONDS)}
    yield from _runs(missing, left)


def _once_still(
    workplace: Workplace, wanted: Sequence[Lacking], seconds: float
) -> Sequence[Lacking]:
    """What of it still lacks once nothing more of it has come for some seconds."""
    until = time.monotonic() + seconds
    while wanted and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        with workplace.begin() as work:
            ids = lacking(work.connection, wanted[0].queue, [one.event_id for one in wanted])
        if len(ids) < len(wanted):
            until = time.monotonic() + seconds
        wanted = [one for one in wanted if one.event_id in ids]
    return wanted


def _runs(missing: Iterable[Lacking], left: set[UUID]) -> Iterator[Gap]:
    """One line for numbers that follow each other and met the same fate."""
    in_order = sorted(missing, key=lambda one: (one.aggregate_id, one.epoch, one.sequence))
    place = {one.event_id: number for number, one in enumerate(in_order)}

    def run_of(one: Lacking) -> tuple[UUID, int, bool]:
        offset = one.sequence - place[one.event_id]
        return one.aggregate_id, offset, one.event_id in left

    for (aggregate_id, _, remains), run in groupby(in_order, run_of):
        events = list(run)
        yield Gap(
            events[0].queue,
            aggregate_id,
            events[0].sequence,
            events[-1].sequence,
            len(events),
            "it did not come" if remains else None,
        )


def _gaps_left(workplace: Workplace, directory: Directory, service: type[Service]) -> Iterator[Gap]:
    """Events that still wait for one that no producer has any more."""
    queues = list(service.queues())

    def open_gaps() -> dict[tuple[str, UUID, int], Gap]:
        found = heal(workplace, directory, queues, patience=timedelta(0), limit=None)
        return {
            (gap["consumer"], gap["aggregate_id"], gap["first"]): Gap(
                gap["consumer"],
                gap["aggregate_id"],
                gap["first"],
                gap["last"],
                gap["sent_again"] or 0,
                "its producer has it no more" if gap["sent_again"] == 0 else "it did not come",
            )
            for gap in found
        }

    yield from _that_stay(open_gaps).values()


def _that_stay(
    look: Callable[[], dict[tuple[str, UUID, int], Gap]],
) -> dict[tuple[str, UUID, int], Gap]:
    """A gap that closes by itself was only an event on its way."""
    until = time.monotonic() + _STILL_SECONDS
    found = look()
    while found and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        now = look()
        found = {key: gap for key, gap in now.items() if key in found}
    return found
