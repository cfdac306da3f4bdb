"""`make chaos`: random faults on a running system under load, and the checker's verdict.

`python -m tests.chaos --seed N --seconds S`; `--only recovery` measures how long the system takes
to come back from each fault alone, `--only recovery.kill` from those whose names begin with `kill`.
All state lies in .run/chaos, and stays there to be looked at.
"""

import argparse
import signal
import sys
from collections.abc import Callable

from deploy.machine.run_folder import REPOSITORY, RunFolder
from tests.chaos import mixed_run, recovery
from tests.chaos.system import DisturbedSystem

RUN = REPOSITORY / ".run" / "chaos"


def mixed(system: DisturbedSystem, options: argparse.Namespace, say: mixed_run.Say) -> int:
    outcome = mixed_run.run(system, options.seed, options.seconds, say)
    say(outcome.line())
    return 0 if outcome.verdict.is_clean else 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", default="")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: stop all, and right all
    system = DisturbedSystem(RunFolder(RUN))
    system.clean()
    try:
        system.up()
        with (system.log_folder / "chaos.log").open("a") as log:
            say = _say_to(log.write)
            measured, _, prefix = options.only.partition(".")
            if measured == "recovery":
                return 0 if recovery.measure(system, options.seed, prefix, say) else 1
            return mixed(system, options, say)
    except KeyboardInterrupt:
        return 130
    finally:
        system.down()
        system.proxy.close()


def _say_to(write: Callable[[str], object]) -> mixed_run.Say:
    def say(text: str) -> None:
        write(f"{text}\n")
        print(text, flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
