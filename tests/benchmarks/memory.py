"""What everything that `make up` started keeps in memory, at rest and after 100,000 events.

PSS counts a shared page once, spread over those who share it. The growth counts from when each
process has done its work a few times, so that what the first use loads is no growth. It leaves
out PostgreSQL's shared buffers: a cache of a set size, empty at the start, no process's own.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from deploy.machine.run_folder import read_json
from tests.acceptance.running import SERVICES
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement
from tests.benchmarks.measured import CLINICS, PEER_ORGANISATIONS, measured, open_region
from tests.benchmarks.measured import Measured as System

REST, GROWTH = "memory.system", "memory.system.growth"
EVENTS, WARM_UP = 100_000, 2_000
_CONSUMERS = 3  # of each of the two events
_QUIET_SECONDS = 10.0
_HANDLED_SECONDS = 200.0
# To count what was handled is work itself.
_LOOK_SECONDS = 2.0

_HAPPEN = """
    WITH numbered AS (
        UPDATE streams SET sequence = sequence + %(each)s
         WHERE aggregate = %(aggregate)s
        RETURNING aggregate_id, sequence - %(each)s AS last
    )
    INSERT INTO outbox (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                        occurred_at, body)
    SELECT gen_random_uuid(), %(type)s, %(aggregate)s, aggregate_id,
           (SELECT max(epoch) FROM epochs), last + number, aggregate_id, now(),
           convert_to(json_build_object(%(id)s::text, id, 'name', name, 'time_zone', time_zone,
                                        'area', area)::text, 'UTF8')
      FROM numbered
      JOIN organisations ON organisations.id = numbered.aggregate_id
     CROSS JOIN generate_series(1, %(each)s) AS number
     ORDER BY number
"""


class NotHandled(Exception):
    """The events were not handled in time."""


def run(_: Bench) -> Mapping[str, Measured]:
    with measured("memory") as system:
        open_region(system)
        time.sleep(_QUIET_SECONDS)
        rest = _each(system, pss)
        have_events_handled(system, WARM_UP)
        time.sleep(_QUIET_SECONDS)
        before = _each(system, own)
        handled = have_events_handled(system, EVENTS)
        time.sleep(_QUIET_SECONDS)
        after = _each(system, own)
    growth = {one: (after[one] - kept) for one, kept in before.items() if one in after}
    return {
        REST: Measured(value=sum(rest.values()), details={"mb": rest}),
        GROWTH: Measured(value=max(growth.values()), details={"mb": growth, "events": handled}),
    }


def have_events_handled(system: System, count: int) -> int:
    """Organisations change again and again: relayed, and handled whole by every service.

    The events go into the producers' outboxes as a handler would write them. They leave no rows
    behind that would be a growth of their own.
    """
    before = _handled(system)
    # As many of each organisation, since one's events wait for each other's confirms.
    each = count // _CONSUMERS // (CLINICS + PEER_ORGANISATIONS) + 1
    _happen(system, "referrals", "clinic", "clinic_id", each)
    _happen(system, "matching", "peer_organisation", "peer_organisation_id", each)
    until = time.monotonic() + _HANDLED_SECONDS
    while _handled(system) - before < count:
        if time.monotonic() > until:
            raise NotHandled(f"{_handled(system) - before} of {count} events")
        time.sleep(_LOOK_SECONDS)
    return _handled(system) - before


def _happen(system: System, service: str, aggregate: str, id_field: str, each: int) -> None:
    values = {"aggregate": aggregate, "type": f"{aggregate}.registered.v1", "id": id_field}
    with system.database(service) as connection:
        connection.execute(_HAPPEN, {**values, "each": each})
        connection.execute("NOTIFY outbox")


def _handled(system: System) -> int:
    query = "SELECT count(*) AS handled FROM inbox"
    return sum(int(system.rows(service, query)[0]["handled"]) for service in SERVICES)


def _each(system: System, measure: Callable[[int], float]) -> dict[str, float]:
    """Megabytes of the supervisor and all that came of it, by pid and program."""
    supervisor = int(read_json(system.run.state)["pid"])
    found = {}
    for pid in _family(supervisor):
        try:
            found[f"{pid} {Path(f'/proc/{pid}/comm').read_text().strip()}"] = measure(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
    return found


def pss(pid: int) -> float:
    return _smaps(pid)["Pss"]


def own(pid: int) -> float:
    """Without memory that PostgreSQL's processes share as a cache."""
    found = _smaps(pid)
    return found["Pss"] - found["Pss_Shmem"]


def _smaps(pid: int) -> dict[str, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}


def _family(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = {}
    for one in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{one}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(one))
    generation = [pid]
    while generation:
        yield from generation
        generation = [child for one in generation for child in children.get(one, ())]


MEASUREMENTS = [
    Measurement(
        figures=[
            Figure(REST, "MB", Goal("<=", 900)),
            Figure(GROWTH, "MB", Goal("<=", 5)),
        ],
        run=run,
    )
]
