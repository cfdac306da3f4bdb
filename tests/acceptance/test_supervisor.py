"""The supervisor: one start, one stop, nothing left behind, whatever happens to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp
import pytest
import urllib3

from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.processes import Identity
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST
from deploy.machine.run_folder import REPOSITORY, RunFolder, read_json
from deploy.machine.running_system import RunningSystem

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Machine:
    """A system of these tests' own, with one replica of each service."""

    run: RunFolder
    port: int

    def kindred(self, command: str, **more: str) -> subprocess.CompletedProcess[str]:
        ours = {"KINDRED_RUN": str(self.run.path), "KINDRED_PORT": str(self.port)}
        return subprocess.run(
            [sys.executable, "-m", "deploy.cli", command],
            cwd=REPOSITORY,
            env={**os.environ, "KINDRED_REPLICAS": "1", **ours, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self) -> dict[str, Identity]:
        done = self.kindred("up")
        assert done.stdout.splitlines()[-1:] == [f"READY {self.url}"], done.stderr
        return self.processes()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def entries(self) -> dict[str, Any]:
        return read_json(self.run.ports)

    def processes(self) -> dict[str, Identity]:
        return {
            name: Identity(entry["pid"], entry["started"]) for name, entry in self.entries().items()
        }

    def kill_supervisor(self) -> None:
        told = read_json(self.run.state)
        supervisor = Identity(told["pid"], told["started"])
        supervisor.send(signal.SIGKILL)
        eventually(lambda: not supervisor.is_alive)

    def everything_marked(self) -> list[str]:
        """Whatever runs on this machine with our run folder in its environment or as its place."""
        mark = f"KINDRED_RUN={self.run.path}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                place = (entry / "cwd").readlink()
            except OSError:
                continue
            if mark in environment or place.is_relative_to(self.run.path):
                found.append((entry / "cmdline").read_text())
        return found


def eventually(look: Callable[[], Any], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = RunFolder(REPOSITORY / ".run" / "test-supervisor")
    machine = Machine(folder, FreePorts().take())
    yield machine
    machine.kindred("down")


def test_a_second_start_changes_nothing_and_a_stop_leaves_nothing(machine: Machine) -> None:
    first = machine.up()

    assert machine.up() == first

    machine.kindred("down")
    assert machine.everything_marked() == []
    assert machine.kindred("down").stdout == "Nothing was running.\n"


def test_what_a_killed_supervisor_left_is_ended_by_the_next_start(machine: Machine) -> None:
    before = machine.up()
    machine.kill_supervisor()
    assert all(identity.is_alive for identity in before.values())

    after = machine.up()

    assert not any(identity.is_alive for identity in before.values())
    assert all(identity.is_alive for identity in after.values())


def test_what_a_killed_supervisor_left_is_ended_by_a_stop(machine: Machine) -> None:
    processes = machine.up()
    machine.kill_supervisor()
    processes["gateway"].send(signal.SIGKILL)  # nginx's worker lives on and holds the port

    machine.kindred("down")

    assert machine.everything_marked() == []


def test_a_port_in_use_is_refused_in_one_line_before_anything_starts(machine: Machine) -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, machine.port))
        listener.listen()

        done = machine.kindred("up")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Error: Port {machine.port} is in use by another program; set KINDRED_PORT to a free one."
    ]
    eventually(lambda: not machine.everything_marked(), seconds=5)


@pytest.mark.parametrize(
    ("setting", "value"), [("KINDRED_REPLICAS", "none"), ("KINDRED_POOL_SIZE", "many")]
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    machine: Machine, setting: str, value: str
) -> None:
    done = machine.kindred("up", **{setting: value})

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert setting in done.stderr
    eventually(lambda: not machine.everything_marked(), seconds=5)


def test_a_deleted_queue_is_declared_again(machine: Machine) -> None:
    machine.up()
    system = RunningSystem(machine.run)

    with amqp.Connection(
        host=f"{LOOPBACK}:{system.port('rabbitmq', 'amqp')}",
        userid=ADMIN,
        password=system.secret("rabbitmq"),
        virtual_host=VHOST,
    ) as connection:
        connection.channel().queue_delete("matching.referral")

        def is_back() -> bool:
            try:
                connection.channel().queue_declare("matching.referral", passive=True)
            except amqp.NotFound:
                return False
            return True

        eventually(is_back)


def test_the_gateway_reaches_every_service(machine: Machine) -> None:
    machine.up()

    for service in ("referrals", "matching", "scheduling", "notifications"):
        answer = urllib3.request("GET", f"{machine.url}/health/{service}/ready", retries=False)
        assert answer.status == 200
