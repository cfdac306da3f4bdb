"""Which fault comes when: decided by the seed alone, every kind once before any comes again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos import (
    broker_faults,
    database_faults,
    link_faults,
    message_faults,
    process_faults,
)
from tests.chaos.fault import Fault

FAULTS: Sequence[Fault] = [
    *process_faults.FAULTS,
    *broker_faults.FAULTS,
    *database_faults.FAULTS,
    *link_faults.FAULTS,
    *message_faults.FAULTS,
]
# From one fault's beginning to the next in its lane: each leaves the system time to come back.
_PACE_SECONDS = {"web": 7.0, "worker": 6.5, "broker": 6.0, "database": 9.0, "mail": 14.0}


@dataclass(frozen=True)
class Planned:
    at: float  # seconds from the beginning; later where the one before it took longer
    fault: Fault
    seconds: float
    seed: str  # chooses the target


def plan(seed: int, seconds: float, faults: Sequence[Fault] = FAULTS) -> dict[str, list[Planned]]:
    """For each lane its faults in order."""
    lanes = {fault.lane: [one for one in faults if one.lane == fault.lane] for fault in faults}
    return {lane: _plan_lane(f"{seed} {lane}", lane, of, seconds) for lane, of in lanes.items()}


def _plan_lane(seed: str, lane: str, faults: list[Fault], seconds: float) -> list[Planned]:
    rng = random.Random(seed)
    pace, planned, waiting = _PACE_SECONDS[lane], list[Planned](), list[Fault]()
    at = rng.uniform(0, pace / 2)
    while at < seconds:
        if not waiting:
            waiting = rng.sample(faults, len(faults))
        fault = waiting.pop()
        lasts = rng.uniform(*fault.seconds)
        planned.append(Planned(at, fault, lasts, f"{seed} {len(planned)}"))
        at += rng.uniform(0.6, 1.2) * pace
    return planned
