"""How much is open, and how long somebody has waited; the synthetic clinic is not counted."""

from services.chassis import metrics
from services.chassis.work import Work
from services.referrals.domain.progress import OPEN
from services.referrals.repository.measures import measure_open


def measure(work: Work) -> None:
    found = measure_open(work.connection, today=work.now.date())
    for status in OPEN:
        row = found.get(status)
        metrics.REFERRALS_OPEN.labels(status).set(row["number"] if row else 0)
    rows = found.values()
    metrics.REFERRALS_UNOWNED.set(sum(row["unowned"] for row in rows))
    metrics.REFERRALS_OVERDUE.set(sum(row["overdue"] for row in rows))
    waiting = [row["unassigned_since"] for row in rows if row["unassigned_since"]]
    seconds = (work.now - min(waiting)).total_seconds() if waiting else 0
    metrics.UNASSIGNED_OLDEST.set(seconds)
