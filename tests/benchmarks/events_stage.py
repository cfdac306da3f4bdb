"""A database with confirmed matches, a full queue, and one consumer process to empty it."""

import sys
import time
from dataclasses import dataclass, replace
from typing import Self

import psycopg
from psycopg import conninfo

from deploy.machine.environment import python_environment
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.processes import Process, Program, stop_together
from services.matching.service import Matching
from tests.benchmarks.bench import ROOT, Bench
from tests.benchmarks.events_messages import ORGANISATIONS, PATIENCE_SECONDS, Form, fill
from tests.support import Scene


class NotDrained(Exception):
    """A side did not handle what it was given, or not all of it."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A consumer: the module to run, its queue, and how many events make a round of seconds."""

    name: str
    module: str
    queue: str
    events: int
    concurrency: int = 1
    arguments: tuple[str, ...] = ()
    single: bool = False
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

    def drain(self, side: Side) -> float:
        """Events per second of the side, from a full queue to an empty one."""
        self.seed(side.events)
        fill(self.bench.broker, side.queue, side.events, form=side.form, single=side.single)
        process = self._start(side)
        try:
            self._wait_until_drained(side, process)
        finally:
            stop_together([process])
            self.ledger.forget_all()
        return self._rate()

    def seed(self, count: int) -> None:
        """Empty tables, confirmed matches, and statistics that fit them."""
        organisations = """
            INSERT INTO peer_organisations (id, name, time_zone)
            SELECT uuid(lpad(to_hex(number), 32, '0')), 'Organisation', 'America/Chicago'
              FROM generate_series(1, %s) AS number
        """
        peers = """
            INSERT INTO peers (id, peer_organisation_id, display_name, email, contact_key,
                               preferred_channel, languages, modes, postal_code, time_zone,
                               topics, access, certified_until, cleared_for_minors, capacity,
                               places_limit, registered_at, updated_at)
            SELECT id, id, 'Peer', 'peer@kindred.example', 'email:peer@kindred.example', 'email',
                   '{en}', '{video}', '60601', time_zone, '{}', '{}', '2100-01-01', false, 5, 5,
                   now(), now()
              FROM peer_organisations
        """
        matches = """
            INSERT INTO matches (id, referral_id, client_id, clinic_id, round, received_at, state,
                                 peer_id, peer_organisation_id, mode, policy_version, ruled_out,
                                 next_at, ranked_at, opened_at, changed_at)
            SELECT uuid(lpad(to_hex(number), 32, '0')), gen_random_uuid(), gen_random_uuid(),
                   org_id, 1, now(), 'confirmed', org_id, org_id, 'video', 1, '{}',
                   now(), now(), now(), now()
              FROM generate_series(1, %s) AS number,
                   uuid(lpad(to_hex(1 + mod(number, %s)), 32, '0')) AS org_id
        """
        with psycopg.connect(self.administrator, autocommit=True) as connection:
            connection.execute("TRUNCATE inbox, positions, deferred, streams, outbox CASCADE")
            connection.execute("TRUNCATE peer_organisations CASCADE")
            connection.execute(organisations, (ORGANISATIONS,))
            connection.execute(peers)
            connection.execute(matches, (count, ORGANISATIONS))
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

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

    def _wait_until_drained(self, side: Side, process: Process) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (done := self._count("inbox")) < side.events:
            if process.has_ended() or time.monotonic() > deadline:
                raise NotDrained(f"{done} of {side.events} by {side.name}: {process.program.log}")
            time.sleep(0.2)
        told, changed = self._count("outbox"), self._count("matches WHERE state = 'active'")
        if (told, changed) != (side.events, side.events):
            raise NotDrained(f"{side.name} told {told}, changed {changed} of {side.events}")

    def _count(self, what: str) -> int:
        with psycopg.connect(self.administrator) as connection:
            query = "SELECT count(*) FROM " + what  # noqa: S608  only our own words
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    def _rate(self) -> float:
        """By the database's own times, from the first transaction's beginning to the last's.

        So neither start nor stop of the process is part of it; the last transaction's events
        are not counted, for its end is not known.
        """
        query = """
            SELECT count(*) FILTER (WHERE received_at < last) / extract(epoch FROM last - first)
              FROM inbox,
                   (SELECT min(received_at) AS first, max(received_at) AS last FROM inbox) AS span
             GROUP BY first, last
        """
        with psycopg.connect(self.administrator) as connection:
            row = connection.execute(query).fetchone()
        return float(row[0]) if row else 0.0
