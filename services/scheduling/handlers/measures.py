"""How many sessions are over without a word about how they went."""

from services.chassis import metrics
from services.chassis.work import Work
from services.scheduling.repository.sessions import Sessions


def measure(work: Work) -> None:
    metrics.SESSIONS_UNTOLD.set(Sessions(work.connection).count_without_outcome(work.now))
