"""events.relay: outbox rows published with confirms and moved, against bare batched confirms."""

from collections.abc import Mapping
from functools import partial
from statistics import median

import psycopg
from kombu.connection import Connection

from deploy import topology
from services.chassis.settings import RELAY_BATCH
from tests.benchmarks.bench import Bench
from tests.benchmarks.events_stage import Side, Stage
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement, alternate, ratio_of
from tests.contracts.generate import EXAMPLES

ROWS = 20_000
KINDRED = Side(
    name="kindred",
    module="tests.benchmarks.kindred_loop",
    arguments=("matching", "relay"),
    queue="matching.events",
    events=ROWS,
)
BARE = Side(
    name="bare-confirms",
    module="tests.benchmarks.peers.bare_confirms",
    queue="matching.events",
    events=ROWS,
    concurrency=RELAY_BATCH,
)


class Relaying(Stage):
    def relay(self, side: Side) -> float:
        """Rows per second, from a full outbox to an empty one."""
        self.fill_outbox(side.events)
        self.run(side, "SELECT count(*) FROM outbox_sent")
        return self._rate()

    def fill_outbox(self, count: int) -> None:
        """Empty queues, and so many rows of an aggregate each."""
        query = """
            INSERT INTO outbox (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                                clinic_org_id, traceparent, occurred_at, body)
            SELECT gen_random_uuid(), 'match.activated.v1', 'match', gen_random_uuid(), 1, 1,
                   gen_random_uuid(), gen_random_uuid(),
                   '00-' || md5(number::text) || '-0000000000000001-01', now(), %s
              FROM generate_series(1, %s) AS number
        """
        empty_queues(self.bench.broker)
        body = (EXAMPLES / "match.activated.v1.json").read_bytes()
        with psycopg.connect(self.administrator, autocommit=True) as connection:
            connection.execute("TRUNCATE outbox, outbox_sent")
            connection.execute(query, (body, count))
            connection.execute("VACUUM (ANALYZE) outbox")
            connection.execute("CHECKPOINT")

    def _rate(self) -> float:
        """From the end of the first batch to the end of the last, by when the rows moved."""
        query = """
            SELECT (count(*) - %(batch)s) / extract(epoch FROM max(sent_at) - (
                       SELECT sent_at FROM outbox_sent ORDER BY sent_at
                       OFFSET %(batch)s - 1 LIMIT 1))
              FROM outbox_sent
        """
        return self.number(query, {"batch": RELAY_BATCH})


def empty_queues(url: str) -> None:
    """The queues of every service, as they are declared, with nothing in them."""
    topology.apply(url)
    with Connection(url) as broker:
        channel = broker.channel()
        for queue in topology.read_topology()["queues"]:
            channel.queue_purge(queue)


def measure(bench: Bench) -> Mapping[str, Measured]:
    stage = Relaying(bench)
    rounds = alternate({side.name: partial(stage.relay, side) for side in (KINDRED, BARE)})
    ratio = ratio_of(rounds, KINDRED.name, BARE.name)
    value = median(rounds[KINDRED.name])
    return {
        "events.relay": Measured(value=value, ratio=ratio, vs=BARE.name, details={"rounds": rounds})
    }


MEASUREMENTS = (
    Measurement(
        figures=(Figure("events.relay", "rows/s", Goal(">=", 0.7, on="ratio")),), run=measure
    ),
)
