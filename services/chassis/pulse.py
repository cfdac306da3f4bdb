"""Signs of life: a loop shows that it goes on, from wherever it is at work."""

import time
from contextvars import ContextVar

_CURRENT: ContextVar["Pulse | None"] = ContextVar("pulse", default=None)


class Pulse:
    """When one loop last showed that it goes on."""

    def __init__(self) -> None:
        self.beat_at = time.monotonic()

    def begin(self) -> None:
        """Let every beat of this thread be this loop's."""
        _CURRENT.set(self)
        self.beat()

    def beat(self) -> None:
        self.beat_at = time.monotonic()

    def silence(self) -> float:
        return time.monotonic() - self.beat_at


def beat() -> None:
    """Show that the loop whose thread this is goes on; elsewhere it means nothing."""
    pulse = _CURRENT.get()
    if pulse is not None:
        pulse.beat()
