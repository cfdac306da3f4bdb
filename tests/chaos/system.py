"""A whole system in .run/chaos that can be disturbed: links, crash points, clocks, processes."""

import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from deploy.machine import control
from deploy.machine.ports import FreePorts, is_free
from deploy.machine.run_folder import write_atomically, write_json
from tests.acceptance.running import SERVICES, Running
from tests.chaos.crash_points import CrashPoints
from tests.chaos.evidence import Evidence
from tests.chaos.proxy import Link, Proxy
from tests.chaos.supervisor import LINKS, clock_file, crash_folder, wiring_file

_SERVER_PORTS = range(9_000, 10_000)


@dataclass(frozen=True)
class DisturbedSystem(Running):
    proxy: Proxy = field(default_factory=Proxy)
    links: dict[str, Link] = field(default_factory=dict)

    def up(self) -> None:
        self.run.create()
        for folder in (crash_folder(self.run), clock_file(self.run, "any").parent):
            folder.mkdir(exist_ok=True)
        self._put_up_proxies()
        with _environment(self.environment):
            control.up(self.run, "tests.chaos.supervisor")

    def down(self) -> None:
        control.down(self.run)

    def clean(self) -> None:
        control.clean(self.run)

    def evidence(self) -> Evidence:
        """What this system leaves behind, for the checker."""
        port, secret = self.port("postgres", "postgresql"), self.secret("postgres")
        return Evidence(
            databases={
                name: f"postgresql://postgres:{secret}@127.0.0.1:{port}/{name}" for name in SERVICES
            },
            mail=self.mail_folder,
            ledger=self.run_folder / "ledger.jsonl",
            injected=self.run_folder / "injected.jsonl",
        )

    @property
    def crash_points(self) -> CrashPoints:
        return CrashPoints(crash_folder(self.run))

    def set_clock(self, process: str, seconds_ahead: float) -> None:
        """Put one process's clock forward or back; 0 rights it."""
        write_atomically(clock_file(self.run, process), f"{seconds_ahead}\n")

    def _put_up_proxies(self) -> None:
        ports = FreePorts()
        # Outside the range that the plan takes from, for the servers listen only later.
        servers = (port for port in random.sample(_SERVER_PORTS, 200) if is_free(port))
        for name in LINKS:
            self.links[name] = self.proxy.before(next(servers), port=ports.take())
        wired = {
            name: {"server": link.upstream, "proxy": link.port} for name, link in self.links.items()
        }
        write_json(wiring_file(self.run), wired)


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """What is started meanwhile gets these settings of ours and none of somebody's shell."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("KINDRED_")]:
        del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
