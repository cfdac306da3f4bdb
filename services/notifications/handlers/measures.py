"""How long the next message has been due."""

from services.chassis import metrics
from services.chassis.work import Work
from services.notifications.repository.claims import Claims


def measure(work: Work) -> None:
    oldest = Claims(work.connection).longest_due(work.now)
    metrics.MESSAGE_OLDEST.set((work.now - oldest).total_seconds() if oldest else 0)
