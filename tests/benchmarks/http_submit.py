"""How many referrals a second are accepted, beside a bare handler with one commit.

Both sides stand behind a gateway of the same kind, on the same database server, and meet eight
callers who each send the next referral when the last one is answered. The workers are stopped
meanwhile, so that what an accepted referral sets off takes no time away from accepting; with
them running the rate is printed as `http.submit.working`.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

from deploy.machine.ports import LOOPBACK, FreePorts
from tests.acceptance.running import SERVICES, eventually
from tests.benchmarks.bare_side import database, running
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import (
    PRINTED,
    Figure,
    Goal,
    Measured,
    Measurement,
    alternate,
    ratio_of,
)
from tests.benchmarks.job import Callers, referral
from tests.benchmarks.load import Client, percentile, side_by_side
from tests.benchmarks.measured import Measured as System
from tests.benchmarks.measured import measured, open_region

AT_ONCE, COUNT, WARM_UP = 8, 160, 80
RATE, P99, WORKING = "http.submit", "http.submit.p99", "http.submit.working"
PATH = "/api/referrals/referrals"
TABLE = "CREATE TABLE taken (id uuid PRIMARY KEY, body jsonb NOT NULL)"
_DRAIN_SECONDS = 120

Submit = Callable[[int, bytes], object]


def run(_: Bench) -> Mapping[str, Measured]:
    p99: dict[str, list[float]] = {"kindred": [], "bare": []}
    with measured("submit") as system:
        callers = Callers(system, open_region(system))
        with bare_beside(system) as url:
            client = Client(url)

            def submit(number: int, body: bytes) -> None:
                callers.call("POST", PATH, callers.region.clinic(number), body).expect(201)

            def submit_bare(_number: int, body: bytes) -> None:
                client.call("POST", PATH, body=body).expect(201)

            def ours() -> float:
                with workers_stopped(system):
                    rate, slowest = accepted(COUNT, submit)
                wait_until_drained(system)
                p99["kindred"].append(slowest)
                return rate

            def theirs() -> float:
                rate, slowest = accepted(COUNT, submit_bare)
                p99["bare"].append(slowest)
                return rate

            for warm in (submit, submit_bare):
                accepted(WARM_UP, warm)
            wait_until_drained(system)
            rates = alternate({"kindred": ours, "bare": theirs})
            working, _slowest = accepted(COUNT, submit)
    vs = "a bare handler with one commit"
    return {
        RATE: Measured(
            value=median(rates["kindred"]),
            ratio=ratio_of(rates, "kindred", "bare"),
            vs=vs,
            details={"rounds": rates, "callers": AT_ONCE, "referrals_a_round": COUNT},
        ),
        P99: Measured(
            value=median(p99["kindred"]),
            ratio=ratio_of(p99, "kindred", "bare"),
            vs=vs,
            details={"rounds_ms": p99},
        ),
        WORKING: Measured(value=working),
    }


def accepted(count: int, submit: Submit) -> tuple[float, float]:
    """Referrals a second, and the milliseconds that 99 of 100 did not exceed."""
    bodies = [json.dumps(referral(number)).encode() for number in range(count)]

    def one(number: int) -> float:
        began = time.monotonic()
        submit(number, bodies[number])
        return (time.monotonic() - began) * 1000

    began = time.monotonic()
    taken: Sequence[float] = side_by_side(AT_ONCE, range(count), one)
    return count / (time.monotonic() - began), percentile(taken, 0.99)


@contextmanager
def bare_beside(system: System) -> Iterator[str]:
    port = FreePorts().take()
    dsn = database(system, "bare", TABLE)
    command = ["tests.benchmarks.bare.web", f"{LOOPBACK}:{port}", dsn]
    with running(system, {"web": command}, {"referrals": port}) as url:
        yield url


@contextmanager
def workers_stopped(system: System) -> Iterator[None]:
    workers = [
        system.identity(name) for service in SERVICES for name in system.replicas(service, "worker")
    ]
    for worker in workers:
        worker.send(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            worker.send(signal.SIGCONT)


def wait_until_drained(system: System) -> None:
    """Until every outbox is empty and every message acknowledged."""

    def is_drained() -> bool:
        waiting = sum(
            system.rows(service, "SELECT count(*) AS waiting FROM outbox")[0]["waiting"]
            for service in SERVICES
        )
        return waiting == 0 and matched(system)

    eventually(is_drained, "everything accepted is dealt with", seconds=_DRAIN_SECONDS)


def matched(system: System) -> bool:
    """Whether matching has ranked whatever was submitted."""
    submitted = system.rows("referrals", "SELECT count(*) AS count FROM referrals")
    ranked = system.rows("matching", "SELECT count(*) AS count FROM matches")
    return bool(submitted[0]["count"] == ranked[0]["count"])


MEASUREMENTS = [
    Measurement(
        figures=[
            Figure(RATE, "1/s", Goal(">=", 0.5, "ratio")),
            Figure(P99, "ms", PRINTED),
            Figure(WORKING, "1/s", PRINTED),
        ],
        run=run,
    )
]
