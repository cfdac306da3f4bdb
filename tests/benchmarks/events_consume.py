"""events.consume and events.consume.limit: one consumer process against peers and a bare loop."""

from collections.abc import Mapping
from functools import partial
from statistics import median
from typing import Any

from services.chassis.settings import CONSUME_BATCH
from tests.benchmarks.bench import Bench
from tests.benchmarks.events_messages import Headers
from tests.benchmarks.events_stage import Side, Stage
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
    module="tests.benchmarks.kindred_consumer",
    arguments=("matching", "matching.session"),
    queue="matching.session",
    events=FAST,
    single=True,
)
BARE = Side(
    name="bare-loop",
    module="tests.benchmarks.peers.bare_loop",
    queue="bench.bare",
    events=FAST,
    single=True,
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


def measure(bench: Bench) -> Mapping[str, Measured]:
    stage = Stage(bench)
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


def best_of(stage: Stage, peer: Side, settings: tuple[int, ...]) -> Side:
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
    ),
)
