"""The supervisor: starts every part of the system, keeps it running, and stops it on SIGTERM.

`python -m deploy.machine.supervisor`, as `kindred up` starts it in the background.
"""

import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TextIO

from amqp import AMQPError, PreconditionFailed
from kombu.exceptions import KombuError

from deploy import topology
from deploy.machine import broker_watch
from deploy.machine.keeper import Keeper, Stopped, say
from deploy.machine.ledger import Ledger
from deploy.machine.liveness import Liveness, probe_seconds
from deploy.machine.plan import MakePlan, Plan, make_plan
from deploy.machine.ports import LOOPBACK, is_free
from deploy.machine.processes import Identity, adopt_orphans
from deploy.machine.run_folder import (
    CannotStart,
    RunFolder,
    gateway_port,
    probe_interval,
    read_json,
    replicas,
    write_json,
)
from deploy.machine.standby_keeper import StandbyKeeper

STARTING, READY, FAILED, STOPPED = "starting", "ready", "failed", "stopped"
START_SECONDS = 150.0
_MEND_SECONDS = 0.1
_TOPOLOGY_SECONDS = 10.0
_SERVERS, _BROKER, _SERVICES, _GATEWAY = range(4)  # the order of starting; stopped in reverse


class Supervisor:
    def __init__(self, run: RunFolder, make_plan: MakePlan = make_plan) -> None:
        self.run = run
        self.make_plan = make_plan
        self.stopping = threading.Event()
        self.ledger = Ledger(run.ports)
        self.keeper = Keeper(self.ledger, self.stopping)
        self.url = ""

    def serve(self) -> int:
        """Run until told to stop; return the exit status."""
        try:
            self._tell(STARTING)
            self._start()
            self._tell(READY)
            say(f"ready at {self.url}")
            self.stopping.wait()
        except Stopped:
            pass
        except CannotStart as error:
            return self._give_up(str(error))
        except Exception as error:  # noqa: BLE001  whoever waits must be told, whatever it is
            traceback.print_exc()
            return self._give_up(f"{type(error).__name__}; see {self.run.log('supervisor')}")
        self._stop()
        self._tell(STOPPED)
        return 0

    def _start(self) -> None:
        left = self.ledger.end_leftovers()
        if left:
            say(f"ended what an earlier run left: {', '.join(left)}")
        port = gateway_port()
        self.url = f"http://{LOOPBACK}:{port}"
        if not is_free(port):
            raise CannotStart(
                f"Port {port} is in use by another program; set KINDRED_PORT to a free one."
            )
        self.run.held.unlink(missing_ok=True)  # of a restore that an earlier run saw no end of
        plan = self.make_plan(self.run, port, replicas())
        threading.Thread(target=self._mend, daemon=True).start()
        liveness = Liveness(self.keeper, probe_seconds())
        threading.Thread(target=liveness.run, daemon=True).start()
        self._start_front(plan)
        self._together(lambda: self._start_databases(plan), lambda: self._start_broker(plan))
        self._start_services(plan, "worker")
        self._wait_for_services(plan)
        if probe_interval():
            self.keeper.add(plan.probe(), tier=_GATEWAY)
        threading.Thread(target=self._keep_topology, args=(plan,), daemon=True).start()

    def _start_front(self, plan: Plan) -> None:
        plan.gateway.prepare()
        self.keeper.add(plan.gateway.program(), tier=_GATEWAY)
        self.keeper.add(plan.mail_sink(), tier=_SERVERS)

    def _start_databases(self, plan: Plan) -> None:
        plan.postgres.prepare()
        program = plan.postgres.program()
        self.keeper.add(program, tier=_SERVERS)
        self.keeper.wait(program.name, plan.postgres.is_ready, START_SECONDS)
        standby = self._start_standby(plan)
        plan.prepare_databases()
        self._start_services(plan, "web")
        if standby is not None:
            self.keeper.wait(program.name, standby.is_settled, START_SECONDS)

    def _start_standby(self, plan: Plan) -> StandbyKeeper | None:
        if plan.pair is None:
            return None
        standby = StandbyKeeper(plan.pair, self.keeper, self.run.database_request, tier=_SERVERS)
        standby.start()
        return standby

    def _start_broker(self, plan: Plan) -> None:
        plan.rabbit.prepare()
        epmd = plan.rabbit.epmd()
        self.keeper.add(epmd, tier=_SERVERS)
        self.keeper.wait(epmd.name, plan.rabbit.epmd_is_ready, START_SECONDS)
        for together in plan.rabbit.in_order():
            for node in together:
                self.keeper.add(node.program(), tier=_BROKER)
            for node in together:
                self.keeper.wait(node.name, node.is_ready, START_SECONDS)
        try:
            topology.apply(plan.rabbit.urls())
        except PreconditionFailed as error:
            raise CannotStart(f"Something of that name is of another kind: {error}") from error
        if len(plan.rabbit.nodes) > 1:
            broker_watch.watch(plan.rabbit.nodes, self.keeper.kill, self.stopping)

    def _start_services(self, plan: Plan, role: str) -> None:
        for place in plan.services.places:
            if place.role == role:
                self.keeper.add(plan.services.program(place), tier=_SERVICES)

    def _wait_for_services(self, plan: Plan) -> None:
        for place in plan.services.places:
            self.keeper.wait(place.name, place.is_ready, START_SECONDS)
        self.keeper.wait("mail", plan.mail_is_ready, START_SECONDS)
        self.keeper.wait("gateway", plan.gateway.is_ready, START_SECONDS)

    def _together(self, *parts: Callable[[], None]) -> None:
        """Run parts side by side; when one is in trouble, the others stop and it is raised."""
        with ThreadPoolExecutor(len(parts)) as pool:
            futures = [pool.submit(part) for part in parts]
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                self.stopping.set()
        faults = [fault for future in futures if (fault := future.exception())]
        faults.sort(key=lambda fault: isinstance(fault, Stopped))
        for fault in faults:
            raise fault

    def _mend(self) -> None:
        while not self.stopping.wait(_MEND_SECONDS):
            self.keeper.mend(read_json(self.run.held).get("services", ()))

    def _keep_topology(self, plan: Plan) -> None:
        """Services declare nothing: what somebody deleted is declared again here."""
        while not self.stopping.wait(_TOPOLOGY_SECONDS):
            try:
                topology.apply(plan.rabbit.urls())
            except (OSError, AMQPError, KombuError) as error:
                say(f"topology not checked: {type(error).__name__}")

    def _give_up(self, message: str) -> int:
        say(message)
        self._stop()
        self._tell(FAILED, message)
        return 1

    def _stop(self) -> None:
        self.stopping.set()
        self.keeper.stop_all()
        self.ledger.forget_all()
        say("stopped")

    def _tell(self, state: str, message: str = "") -> None:
        ourselves = Identity.of(os.getpid())
        write_json(
            self.run.state,
            {
                "pid": os.getpid(),
                "started": ourselves.started if ourselves else 0,
                "state": state,
                "url": self.url,
                "message": message,
            },
        )


def lock(run: RunFolder) -> TextIO | None:
    """Hold the run folder for as long as the file stays open; None if somebody else holds it."""
    file = (run.path / "supervisor.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def main(make_plan: MakePlan = make_plan) -> int:
    run = RunFolder.of_environment()
    run.create()
    held = lock(run)
    if held is None:
        return 0  # another start was faster, and whoever waits watches that one
    supervisor = Supervisor(run, make_plan)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    began = time.monotonic()
    status = supervisor.serve()
    say(f"ran {time.monotonic() - began:.0f} s")
    held.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
