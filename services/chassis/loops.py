"""What a worker's loop is given: transactions, owners to ask, a clock, and when to stop."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from uuid import UUID

from services.chassis.internal import Directory
from services.chassis.settings import Settings
from services.chassis.work import Clock, Work, Workplace


@dataclass(frozen=True)
class LoopContext:
    workplace: Workplace
    directory: Directory
    stop_flag: Flag

    @property
    def settings(self) -> Settings:
        return self.workplace.settings

    @property
    def clock(self) -> Clock:
        return self.workplace.clock

    def stopping(self) -> bool:
        return self.stop_flag.is_set()

    @contextmanager
    def transaction(
        self, orgs: Iterable[UUID] = (), *, all_organisations: bool = False
    ) -> Iterator[Work]:
        """One transaction for these organisations, or for all that the service knows."""
        with self.workplace.begin(orgs) as work:
            if all_organisations:
                work.act_for_all()
            yield work
