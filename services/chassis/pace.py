"""How many events a batch takes: more while batches are quick, fewer when they are slow."""

from dataclasses import dataclass, field

FIRST = 100
QUICK_SECONDS = 0.2
# Far below the heartbeats that a batch holds up, and the locks that others wait for.
SLOW_SECONDS = 1.0


@dataclass
class Pace:
    most: int
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = min(FIRST, self.most)

    def note(self, count: int, seconds: float) -> None:
        """Learn from a batch; one that was not full says nothing about a larger one."""
        if seconds > SLOW_SECONDS:
            self.size = max(self.size // 2, 1)
        elif seconds < QUICK_SECONDS and count == self.size:
            self.size = min(self.size * 2, self.most)
