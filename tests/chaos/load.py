"""The load: many walks at once through the public API, each accepted command written down.

`python -m tests.chaos.load RUN_FOLDER --seed N --seconds S --walkers W`, a process of its own so
that it does not slow whoever disturbs the system. Prints `ready` once its region is there.
"""

import argparse
import itertools
import random
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3

from deploy.machine.run_folder import RunFolder
from deploy.machine.running_system import RunningSystem
from deploy.region.api import Refused
from deploy.region.mailbox import Mailbox
from tests.acceptance.clients import PatientApi, Place
from tests.chaos.ledger import Ledger
from tests.chaos.letters import Letters
from tests.chaos.walks import Abandoned, Region, Walk

_PLACES = 3
_PEERS = 5
_KINDS = {"short": 70, "whole": 26, "change_peer": 4}


class Load:
    def __init__(self, system: RunningSystem, seed: int) -> None:
        self.seed = seed
        self.api = PatientApi(system)
        self.ledger = Ledger(system.run_folder / "ledger.jsonl")
        self.letters = Letters(system.mail_folder)
        self.mailbox = Mailbox(system.mail_folder)
        self.stopping = threading.Event()
        self.ends: Counter[str] = Counter()
        self.regions = [self._open_region(number) for number in range(_PLACES)]

    def _open_region(self, number: int) -> Region:
        place = Place(self.api, self.mailbox, f"qa{'abc'[number]}").open()
        lonely = Place(self.api, self.mailbox, f"qb{'abc'[number]}").open()
        peers = [place.add_peer(capacity=50) for _ in range(_PEERS)]
        return Region(place, peers, lonely)

    def walk(self, number: int) -> None:
        """Walk after walk until told to stop; the seed and the walker decide which."""
        rng = random.Random(f"{self.seed} {number}")
        for region in itertools.cycle(self.regions[number % _PLACES :] + self.regions):
            if self.stopping.is_set():
                return
            [kind] = rng.choices([*_KINDS], [*_KINDS.values()])
            walk = Walk(self.api, self.ledger, self.letters, region, rng, self.stopping.is_set)
            try:
                getattr(walk, kind)()
                self.ends[f"{kind} done"] += 1
            except Abandoned as abandoned:
                self.ends[f"{kind} abandoned at {abandoned}"] += 1
            except (Refused, urllib3.exceptions.HTTPError, StopIteration):
                self.ends[f"{kind} disturbed"] += 1
            except Exception:  # noqa: BLE001  said below, and the walkers go on
                self.ends[f"{kind} broken"] += 1
                traceback.print_exc()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.load")
    parser.add_argument("run", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--walkers", type=int, default=10)
    options = parser.parse_args(arguments)
    load = Load(RunningSystem(RunFolder(options.run)), options.seed)
    print("ready", flush=True)
    with ThreadPoolExecutor(options.walkers) as threads:
        for number in range(options.walkers):
            threads.submit(load.walk, number)
        time.sleep(options.seconds)
        load.stopping.set()
    for what, count in sorted((load.ends + load.ledger.answers).items()):
        print(f"{count:6} {what}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
