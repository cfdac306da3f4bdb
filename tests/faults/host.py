"""Hosts the parcel service with crash points: `python -m tests.faults.host web|worker`.

What else a test wants to be different about the process stands in its environment.
"""

import os
import sys

if sys.argv[1] == "web":
    # Before anything else that imports psycopg: it patches, and chooses how psycopg waits.
    from services.chassis.hosting import web
else:
    from services.chassis.hosting import worker

from services.chassis import broker, database
from tests.chaos import crash_points
from tests.faults.parcel_service import HEARTBEAT, Parcels

SILENCE_SECONDS = 8.0  # still longer than a wait for a lock


def main(role: str) -> int:
    crash_points.install_armed(Parcels.name)
    broker.HEARTBEAT_SECONDS = int(os.environ.get(HEARTBEAT, broker.HEARTBEAT_SECONDS))
    database.SILENCE_SECONDS = SILENCE_SECONDS
    if role == "web":
        return web.serve(Parcels)
    worker.service_named = lambda name: Parcels  # type: ignore[attr-defined]
    return worker.main(Parcels.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
