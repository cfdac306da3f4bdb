"""Deleting what is past its horizon: in small transactions, until nothing is left to delete."""

from collections.abc import Callable
from datetime import date

from services.chassis.database import Connection
from services.chassis.http import idempotency
from services.chassis.journal import Journal
from services.chassis.work import Workplace

BATCH = 2000
PAUSE_SECONDS = 600.0

# Each of them deletes at most a batch of what is older than the days, and says how many.
Forget = Callable[[Connection, int], int]


def forget_sent(connection: Connection, days: int) -> int:
    query = """
        DELETE FROM outbox_sent
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM outbox_sent
                                   WHERE sent_at < now() - %s * interval '1 day'
                                   LIMIT %s FOR UPDATE SKIP LOCKED))
    """
    return connection.execute(query, (days, BATCH)).rowcount


def forget_received(connection: Connection, days: int) -> int:
    """Three times as late: an inbox that forgot before senders did would let a repeat through."""
    query = """
        DELETE FROM inbox
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM inbox
                                   WHERE received_at < now() - 3 * %s * interval '1 day'
                                   LIMIT %s FOR UPDATE SKIP LOCKED))
    """
    return connection.execute(query, (days, BATCH)).rowcount


def forget_closed(connection: Connection, days: int) -> int:
    """What was overtaken or given up; the inbox still knows that it came."""
    query = """
        DELETE FROM deferred
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM deferred
                                   WHERE state IN ('superseded', 'discarded')
                                     AND decided_at < now() - %s * interval '1 day'
                                   LIMIT %s FOR UPDATE SKIP LOCKED))
    """
    return connection.execute(query, (days, BATCH)).rowcount


class ForgettingLoop:
    """Every replica may be at it: what one has locked, the others pass over."""

    name = "forget old"

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.days = workplace.settings.sent_days

    def run(self, stopping: Callable[[], bool], wait: Callable[[float], object]) -> None:
        while not stopping():
            for forget in (forget_sent, forget_received, forget_closed):
                while not stopping() and self._forget(forget) == BATCH:
                    pass
            with self.workplace.begin() as work:
                work.act_for_all()
                idempotency.clear_old(work)
                self._forget_journal(work.now.date())
            wait(PAUSE_SECONDS)

    def _forget(self, forget: Forget) -> int:
        with self.workplace.begin() as work:
            return forget(work.connection, self.days)

    def _forget_journal(self, today: date) -> None:
        """As late as what was sent, of which it is the copy."""
        root = self.workplace.settings.journal
        if root:
            Journal.of(root, self.workplace.service.name).forget(self.days, today)
