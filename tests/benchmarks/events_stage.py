"""One process at a time that works on matching's database and the broker until all is done."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import psycopg
from psycopg import conninfo

from deploy.machine.environment import python_environment
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.processes import Process, Program, stop_together
from services.matching.service import Matching
from tests.benchmarks.bench import ROOT, Bench
from tests.benchmarks.events_messages import PATIENCE_SECONDS, Form
from tests.support import Scene


class NotDone(Exception):
    """A side did not do all that it was given."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A process to measure: its module, its queue or exchange, how many events make a round."""

    name: str
    module: str
    queue: str
    events: int
    concurrency: int = 1
    arguments: tuple[str, ...] = ()
    form: Form | None = None

    def at(self, concurrency: int, events: int | None = None) -> Self:
        return replace(self, concurrency=concurrency, events=events or self.events)


class Stage:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.database = bench.databases.fresh("matching")
        bench.at_the_end(lambda: bench.databases.drop(self.database))
        self.scene = Scene(Matching, self.database)
        bench.at_the_end(self.scene.close)
        self.administrator = conninfo.make_conninfo(bench.postgres, dbname=self.database.name)
        self.folder = bench.empty("sides")
        self.ledger = Ledger(self.folder / "processes.json")

    def run(self, side: Side, count: str) -> None:
        """Let the side work until the query counts all its events."""
        process = self._start(side)
        try:
            self._wait(side, process, count)
        finally:
            stop_together([process])
            self.ledger.forget_all()

    def _start(self, side: Side) -> Process:
        settings = self.scene.settings
        environment = {
            "BENCH_DATABASE": self.administrator,
            "BENCH_BROKER": self.bench.broker,
            "BENCH_QUEUE": side.queue,
            "BENCH_CONCURRENCY": str(side.concurrency),
            "KINDRED_DATABASE": settings.database,
            "KINDRED_BROKER": self.bench.broker,
            "KINDRED_INTERNAL": f"{LOOPBACK}:{FreePorts().take()}",
            "KINDRED_TOKEN_KEYS": str(settings.token_keys),
            "KINDRED_SERVICE_KEY": str(settings.service_key),
            "KINDRED_LINK_KEY": settings.link_key,
            "KINDRED_TOPOLOGY": str(ROOT / "deploy" / "topology.json"),
            "KINDRED_DEMO": "1",
        }
        return self.ledger.start(
            Program(
                name=side.name,
                command=[sys.executable, "-m", side.module, *side.arguments],
                log=self.folder / f"{side.name}.log",
                environment=python_environment(environment),
                folder=ROOT,
                grace_seconds=10.0,
            )
        )

    def _wait(self, side: Side, process: Process, count: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (done := self.number(count)) < side.events:
            if process.has_ended() or time.monotonic() > deadline:
                raise NotDone(f"{done} of {side.events} by {side.name}: {process.program.log}")
            time.sleep(0.2)

    def number(self, query: str, values: Mapping[str, Any] | None = None) -> float:
        """The only value of a query."""
        with psycopg.connect(self.administrator) as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return float(row[0]) if row else 0.0
