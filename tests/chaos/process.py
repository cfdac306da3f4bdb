"""Hosts a service's role as production does, with crash points and a clock that can be put wrong.

`python -m tests.chaos.process web|worker <service>`. The file that KINDRED_CLOCK names holds how
many seconds the process's wall clock is ahead; time limits, which count from the start of the
machine, stay right.
"""

import os
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from tests.chaos import crash_points

CLOCK = "KINDRED_CLOCK"


def shifted(offset: Path) -> type[datetime]:
    """A datetime whose now is ahead by the seconds in the file; missing, it is right."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            try:
                ahead = float(offset.read_text())
            except (OSError, ValueError):
                ahead = 0.0
            return datetime.now(tz) + timedelta(seconds=ahead)

    return Shifted


def main(role: str, service: str) -> int:
    if role == "web":
        # First of all, for it patches what the next imports would use unpatched.
        from services.chassis.hosting import web  # noqa: F401
    from services.chassis import work

    work.datetime = shifted(Path(os.environ[CLOCK]))  # type: ignore[attr-defined]
    return crash_points.main(role, service)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
