"""events.consume and events.consume.limit: one consumer process against peers and a bare loop."""

from collections.abc import Mapping
from functools import partial
from statistics import median
from typing import Any

import psycopg

from services.chassis.settings import CONSUME_BATCH
from tests.benchmarks.bench import Bench
from tests.benchmarks.events_messages import ORGANISATIONS, Headers, fill
from tests.benchmarks.events_stage import NotDone, Side, Stage
from tests.benchmarks.figures import (
    Figure,
    Goal,
    Measured,
    Measurement,
    Rounds,
    alternate,
    ratio_of,
)

CONSUME = "events.consume"
LIMIT = "events.consume.limit"
FAST, SLOW, TRIAL = 30_000, 4_000, 1_500


def as_task(event: Mapping[str, Any]) -> tuple[Headers, Any]:
    """Celery's message protocol, version 2."""
    headers = {"lang": "py", "task": "activate", "id": event["event_id"], "retries": 0}
    more = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    return headers, [[event], {}, more]


KINDRED = Side(
    name="kindred",
    module="tests.benchmarks.kindred_loop",
    arguments=("matching", "consume matching.session"),
    queue="matching.session",
    events=FAST,
)
BARE = Side(
    name="bare-loop",
    module="tests.benchmarks.peers.bare_loop",
    queue="bench.bare",
    events=FAST,
)
# Each peer with the concurrencies of which the best is taken.
PEERS = {
    Side(
        name="nameko",
        module="tests.benchmarks.peers.nameko_peer",
        queue="bench.nameko",
        events=SLOW,
    ): (5, 10, 20, 40),
    Side(
        name="faststream",
        module="tests.benchmarks.peers.faststream_peer",
        queue="bench.faststream",
        events=SLOW,
    ): (5, 10, 20, 40),
    Side(
        name="celery",
        module="tests.benchmarks.peers.celery_peer",
        queue="bench.celery",
        events=SLOW,
        form=as_task,
    ): (1, 4, 8, 16),
}


class Consuming(Stage):
    def drain(self, side: Side) -> float:
        """Events per second of the side, from a full queue to an empty one."""
        self.seed(side.events)
        fill(self.bench.broker, side.queue, side.events, side.form)
        self.run(side, "SELECT count(*) FROM inbox")
        told = self.number("SELECT count(*) FROM outbox")
        changed = self.number("SELECT count(*) FROM matches WHERE state = 'active'")
        if (told, changed) != (side.events, side.events):
            raise NotDone(f"{side.name} told {told}, changed {changed} of {side.events}")
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
        return self.number(query)


def measure(bench: Bench) -> Mapping[str, Measured]:
    stage = Consuming(bench)
    sides = [KINDRED]
    if bench.wants(CONSUME):
        sides += [best_of(stage, peer, settings) for peer, settings in PEERS.items()]
    if bench.wants(LIMIT):
        sides.append(BARE.at(CONSUME_BATCH))
    rounds = alternate({side.name: partial(stage.drain, side) for side in sides})
    value = median(rounds[KINDRED.name])
    details = {"rounds": rounds, "concurrency": {side.name: side.concurrency for side in sides}}
    peers = [side.name for side in sides if side.name in {peer.name for peer in PEERS}]
    found = {}
    if peers:
        best = max(peers, key=lambda name: median(rounds[name]))
        found[CONSUME] = compared(rounds, value, best, details)
    if BARE.name in rounds:
        found[LIMIT] = compared(rounds, value, BARE.name, details)
    return found


def compared(rounds: Rounds, value: float, other: str, details: Mapping[str, object]) -> Measured:
    ratio = ratio_of(rounds, KINDRED.name, other)
    return Measured(value=value, ratio=ratio, vs=other, details=details)


def best_of(stage: Consuming, peer: Side, settings: tuple[int, ...]) -> Side:
    """The peer as concurrent as suits it best here."""
    rates = {number: stage.drain(peer.at(number, TRIAL)) for number in settings}
    return peer.at(max(rates, key=lambda number: rates[number]))


MEASUREMENTS = (
    Measurement(
        figures=(
            Figure(CONSUME, "events/s", Goal(">=", 5, on="ratio")),
            Figure(LIMIT, "events/s", Goal(">=", 0.6, on="ratio")),
        ),
        run=measure,
        most_seconds=900,  # twelve trials of the peers' settings, then five rounds of five sides
    ),
)
