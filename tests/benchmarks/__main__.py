"""`make bench`: prints every figure; status 1 when one could not be measured, whatever the goals.

A module of this package that has MEASUREMENTS takes part.
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import iter_modules

from deploy.machine.processes import adopt_orphans
from deploy.machine.run_folder import CannotStart
from tests.benchmarks import __path__ as folders
from tests.benchmarks.bench import ROOT, Bench
from tests.benchmarks.figures import Measurement
from tests.benchmarks.report import Line, summary, write_json


def measurements() -> Iterator[Measurement]:
    for module in sorted(found.name for found in iter_modules(folders) if not found.ispkg):
        if module != "__main__":
            yield from getattr(import_module(f"tests.benchmarks.{module}"), "MEASUREMENTS", ())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="only the figures whose names begin so")
    only = parser.parse_args(arguments).only
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    adopt_orphans()
    lines: list[Line] = []
    unmeasured: list[str] = []
    try:
        with Bench(only) as bench:
            for measurement in measurements():
                run(measurement, bench, lines, unmeasured)
    except KeyboardInterrupt:
        return 130
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1
    write_json(ROOT / ".run" / "bench.json", lines)
    print(summary(lines, unmeasured))
    return 1 if unmeasured or not lines else 0


class OutOfTime(Exception):
    """A measurement does not come to its end."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Give up what takes longer, so that the figures after it are measured all the same."""

    def give_up(*_: object) -> None:
        raise OutOfTime(f"not within {seconds} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def run(measurement: Measurement, bench: Bench, lines: list[Line], unmeasured: list[str]) -> None:
    wanted = [figure for figure in measurement.figures if bench.wants(figure.name)]
    if not wanted:
        return
    try:
        with within(measurement.most_seconds):
            found = measurement.run(bench)
    except Exception:  # noqa: BLE001  the other figures are still worth having
        traceback.print_exc()
        found = {}
    for figure in wanted:
        if figure.name in found:
            lines.append(Line(figure, found[figure.name]))
            print(lines[-1], flush=True)
        else:
            unmeasured.append(figure.name)
            print(f"not measured: {figure.name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
