"""How handlers are called: for each event, or once for a run of events of one type."""

from dataclasses import dataclass, field

from services.chassis.events import Heard
from services.chassis.service import Consumed
from services.chassis.work import Work


@dataclass
class Calls:
    """Calls in the order in which events are added; a run is complete when another type comes."""

    work: Work
    consumed: Consumed | None = None
    run: list[Heard] = field(default_factory=list)

    def add(self, consumed: Consumed, heard: Heard) -> None:
        if consumed is not self.consumed:
            self.finish()
        if consumed.together:
            self.consumed = consumed
            self.run.append(heard)
        else:
            self._call(consumed, heard)

    def finish(self) -> None:
        """Call for the run that is still open."""
        consumed, run = self.consumed, self.run
        self.consumed, self.run = None, []
        if consumed is not None:
            consumed.handler(run, self.work)

    def _call(self, consumed: Consumed, heard: Heard) -> None:
        self.work.received, self.work.answer = heard.event, heard.answer
        try:
            consumed.handler(heard.data, self.work)
        finally:
            self.work.received = self.work.answer = None
