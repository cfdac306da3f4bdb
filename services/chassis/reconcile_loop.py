"""Has lost events sent again without an operator: gaps, and last events that no later one shows."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from services.chassis.errors import OwnerAway
from services.chassis.internal import Directory, OwnerRefused
from services.chassis.log import get_log
from services.chassis.pulse import beat
from services.chassis.reconcile import Lacking, ask_again, heal, sweep
from services.chassis.service import Consumed
from services.chassis.work import Workplace

log = get_log(__name__)

_LOOK_SECONDS = 15.0
# What a process that begins looks back at; it may have been away itself.
_COMPARED_AT_FIRST = timedelta(hours=1)
# Each event is compared at least twice.
_COMPARED_TWICE = timedelta(seconds=45)
# The times of one batch's events say nothing of their order.
_SENT_TOGETHER = timedelta(seconds=2)


class Comparison:
    """Compares again and again, and has sent again what is lost: no later event may ever show it.

    A queue keeps its order. So of what lacked the last time and still does, that is lost of which
    something sent later has come meanwhile; and all of it where nothing has come.
    """

    def __init__(
        self,
        workplace: Workplace,
        directory: Directory,
        queues: Mapping[str, Sequence[Consumed]],
    ) -> None:
        self.workplace = workplace
        self.directory = directory
        self.queues = queues
        self._lacked: dict[str, list[Lacking]] = {}
        self._compared_at: dict[str, datetime] = {}

    def compare(self) -> int:
        """Once, all queues; a producer that is away is asked the next time."""
        return sum(self._compare(queue, consumed) for queue, consumed in self.queues.items())

    def _compare(self, queue: str, consumed: Sequence[Consumed]) -> int:
        beat()
        now = self.workplace.clock()
        before = self._lacked.get(queue, [])
        compared_at = self._compared_at.get(queue, now - _COMPARED_AT_FIRST)
        # What lacked stays in sight until it has come, however long that takes.
        since = min([compared_at, *(one.sent_at for one in before)]) - _COMPARED_TWICE
        try:
            found = sweep(self.workplace, self.directory, queue, consumed, since)
            wanted = lost(before, found)
            count = ask_again(self.directory, wanted)
        except (OwnerAway, OwnerRefused):
            return 0
        self._lacked[queue], self._compared_at[queue] = found, now
        if wanted:
            log.warning("events_lost", queue=queue, count=len(wanted))
        return count


def lost(before: Sequence[Lacking], now: Sequence[Lacking]) -> list[Lacking]:
    """Of what lacks now and lacked before, what is not merely on its way."""
    still, known = ({one.event_id for one in lacking} for lacking in (now, before))
    came = [one.sent_at for one in before if one.event_id not in still]
    overtaken = max(came) - _SENT_TOGETHER if came else None
    return [
        one
        for one in now
        if one.event_id in known and (overtaken is None or one.sent_at < overtaken)
    ]


class ReconcileLoop:
    """Looks for gaps and compares now and then, so that a lost event needs nobody to notice it."""

    name = "reconcile"

    def __init__(
        self,
        workplace: Workplace,
        directory: Directory,
        queues: Mapping[str, Sequence[Consumed]],
    ) -> None:
        self.workplace = workplace
        self.directory = directory
        self.queues = queues
        self.comparison = Comparison(workplace, directory, queues)

    def run(self, stopping: Callable[[], bool], wait: Callable[[float], object]) -> None:
        while not stopping():
            heal(self.workplace, self.directory, list(self.queues))
            self.comparison.compare()
            wait(_LOOK_SECONDS)
