"""What is frozen is killed and started again; what answers, or only just began, is left alone."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.machine.keeper import Keeper
from deploy.machine.ledger import Ledger
from deploy.machine.liveness import Liveness
from deploy.machine.ports import FreePorts, answers
from deploy.machine.processes import Identity, Program
from deploy.machine.run_folder import read_json

ANSWERS = """
import http.server, sys
class Live(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Live).serve_forever()
"""
LISTENS = """
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(60)
"""


class Kept:
    """One process under a keeper that mends it, asked whenever the test looks."""

    def __init__(self, folder: Path, code: str) -> None:
        self.keeper = Keeper(Ledger(folder / "ports.json"), threading.Event())
        self.liveness = Liveness(self.keeper, seconds=0.3)
        self.port = FreePorts().take()
        program = Program(
            name="one",
            command=[sys.executable, "-c", code, str(self.port)],
            log=folder / "one.log",
            environment=dict(os.environ),
            folder=folder,
            live_port=self.port,
        )
        self.keeper.add(program, tier=0)
        self.wait(lambda: answers(self.port))

    def identity(self) -> Identity:
        entry = read_json(self.keeper.ledger.path)["one"]
        return Identity(entry["pid"], entry["started"])

    def wait(self, is_so: Callable[[], bool]) -> None:
        def look() -> bool:
            self.keeper.mend()
            return is_so()

        self.keeper.wait("one", look, 20)

    def look(self, times: int) -> None:
        for _ in range(times):
            self.liveness.look()

    def stop(self) -> None:
        self.keeper.stopping.set()
        self.keeper.stop_all()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    kept = Kept(tmp_path, ANSWERS)
    yield kept
    kept.stop()


def test_a_frozen_process_is_killed_and_started_again(kept: Kept) -> None:
    kept.look(1)
    frozen = kept.identity()
    frozen.send(signal.SIGSTOP)

    kept.look(3)
    assert frozen.is_alive
    kept.look(1)

    kept.wait(lambda: kept.identity() != frozen and answers(kept.port))
    assert not frozen.is_alive


def test_an_answer_makes_up_for_what_was_missed_before(kept: Kept) -> None:
    kept.look(1)
    process = kept.identity()
    for _ in range(2):
        process.send(signal.SIGSTOP)
        kept.look(3)
        process.send(signal.SIGCONT)
        kept.look(1)

    assert process.is_alive


def test_a_process_that_never_answered_is_given_time_to_start(tmp_path: Path) -> None:
    kept = Kept(tmp_path, LISTENS)
    starting = kept.identity()

    kept.look(5)
    assert starting.is_alive
    kept.keeper.with_live_port()[0].began -= 100
    kept.look(1)

    kept.wait(lambda: kept.identity() != starting)
    kept.stop()
