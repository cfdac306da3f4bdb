"""The worker role: consumers, relay, timers and loops, each in a thread of its own.

Not patched by eventlet: `python -m services.chassis.hosting.worker <service>`.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from nameko.extensions import Entrypoint

from services.chassis import metrics
from services.chassis.consumer import Handling
from services.chassis.database import Database, connect
from services.chassis.forgetting import ForgettingLoop
from services.chassis.hosting.ground import Ground
from services.chassis.hosting.host import check_migrations, host, read_settings, service_named
from services.chassis.hosting.threads import StopFlag, Thread
from services.chassis.hosting.watch import serve_watch
from services.chassis.hosting.watchdog import Watchdog, end_stuck
from services.chassis.internal import Directory
from services.chassis.log import configure, get_log
from services.chassis.loops import LoopContext
from services.chassis.observing import Observing
from services.chassis.queue_loop import QueueLoop, RetryLoop
from services.chassis.reconcile_loop import ReconcileLoop
from services.chassis.relay import Relay
from services.chassis.service import Loop, Service, Timer
from services.chassis.settings import Settings
from services.chassis.work import Workplace

log = get_log(__name__)


class RunThread(Entrypoint):
    """nameko starts and stops the thread; a blocking loop on its green thread would not end."""

    def __init__(self, thread: Thread) -> None:
        self.loop_thread = thread
        super().__init__(thread)

    def start(self) -> None:
        self.loop_thread.start()

    def stop(self) -> None:
        self.loop_thread.stop()


class Worker:
    """Every loop of one service."""

    def __init__(self, service: type[Service], settings: Settings) -> None:
        self.stop_flag = StopFlag()
        self.stopping = self.stop_flag.is_set
        self.service = service
        self.settings = settings
        queues = service.queues()
        loops = service.declared(Loop)
        self.database = Database(
            settings.database, name=f"{service.name}.worker", pool_size=len(queues) + len(loops) + 6
        )
        self.workplace = Workplace(service, self.database, settings)
        self.directory = Directory.from_settings(settings)
        self.context = LoopContext(self.workplace, self.directory, self.stop_flag)
        self.handlings = {
            queue: Handling(self.workplace, self.directory, queue, consumed)
            for queue, consumed in queues.items()
        }

    def threads(self) -> list[Thread]:
        bodies: dict[str, Callable[[], None]] = {}
        for handling in self.handlings.values():
            loop = QueueLoop(handling, self.settings.consume_batch)
            bodies[loop.name] = partial(loop.run, self.stopping)
        if self.handlings:
            retry = RetryLoop(self.handlings)
            bodies[retry.name] = partial(retry.run, self.stopping)
            healing = ReconcileLoop(self.workplace, self.directory, self.service.queues())
            bodies[healing.name] = partial(healing.run, self.stopping, self.stop_flag.wait)
        relay = Relay(self.service.name, self.settings)
        bodies[relay.name] = partial(relay.run, self.stopping)
        observing = Observing(self.workplace, list(self.handlings), lambda _: end_stuck())
        bodies[observing.name] = partial(observing.run, self.stopping, self.stop_flag.wait)
        forgetting = ForgettingLoop(self.workplace)
        bodies[forgetting.name] = partial(forgetting.run, self.stopping, self.stop_flag.wait)
        bodies["timers"] = self._run_timers
        for declared in self.service.declared(Loop):
            bodies[declared.name] = partial(self._run_loop, declared)
        patience = {loop.name: loop.patience for loop in self.service.declared(Loop)}
        return [
            Thread(name, body, self.stop_flag, patience.get(name, 0.0))
            for name, body in bodies.items()
        ]

    def _run_timers(self) -> None:
        due = {timer.name: (0.0, timer) for timer in self.service.declared(Timer)}
        while not self.stopping():
            for name, (at, timer) in due.items():
                if time.monotonic() >= at:
                    due[name] = (time.monotonic() + timer.seconds, timer)
                    self._run_timer(timer)
            self.stop_flag.wait(0.25)

    def _run_timer(self, timer: Timer) -> None:
        """Skip it where another replica is at it; one timer's fault must not stop the others."""
        try:
            with self.workplace.begin() as work:
                query = "SELECT pg_try_advisory_xact_lock(hashtext(%s)) AS ours"
                row = work.connection.execute(query, (f"kindred.timer.{timer.name}",)).fetchone()
                if row and row["ours"]:
                    work.act_for_all()
                    timer.handler(work)
        except Exception as error:  # noqa: BLE001
            metrics.LOOP_FAULTS.labels(f"timer {timer.name}").inc()
            log.error("timer_fault", error=error, timer=timer.name.replace(" ", "_"))

    def _run_loop(self, declared: Loop) -> None:
        if declared.wakes_on is None:
            while not self.stopping():
                declared.run(self.context)
                self.stop_flag.wait(declared.seconds)
            return
        name = f"{self.service.name}.{declared.name}"
        with connect(self.settings.database, name, autocommit=True) as listener:
            listener.execute(f"LISTEN {declared.wakes_on}")
            while not self.stopping():
                declared.run(self.context)
                _wait(listener, declared.seconds, self.stopping)


def _wait(listener: Any, seconds: float, stopping: Callable[[], bool]) -> None:
    """Wait for the hint or the time, in steps short enough to stop promptly."""
    deadline = time.monotonic() + seconds
    while not stopping() and (left := deadline - time.monotonic()) > 0:
        for _ in listener.notifies(timeout=min(left, 0.5), stop_after=1):
            return


def main(name: str) -> int:
    settings = read_settings()
    configure(f"{name}.worker")
    worker = Worker(service_named(name), settings)
    worker.database.open()
    check_migrations(worker.database, name)
    threads = worker.threads()
    serve_watch(settings.internal, threads)
    Watchdog(threads, worker.stop_flag, settings.stuck_seconds).start()
    Ground(worker.database, settings, name, list(worker.handlings)).start()
    entrypoints = {
        f"loop_{number}": (RunThread, (thread,)) for number, thread in enumerate(threads)
    }
    status = host(name, "worker", entrypoints)
    worker.database.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
