"""A web process as it really runs: patched by eventlet, on a real database."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from services.chassis.roles import Role
from services.chassis.settings import Settings
from tests.integration.chassis.slow_service import Slow
from tests.support import Scene, caller, wait_for

# In a process of its own: hosting.web patches whoever imports it, and must come before psycopg.
SCRIPT = """
from services.chassis.hosting import web
from tests.integration.chassis.slow_service import Slow
raise SystemExit(web.serve(Slow))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_of(settings: Settings) -> dict[str, str]:
    """What every process of a service is told; its ports come on top."""
    return {
        "PATH": os.environ["PATH"],
        "KINDRED_DATABASE": settings.database,
        "KINDRED_BROKER": settings.broker,
        "KINDRED_TOKEN_KEYS": str(settings.token_keys),
        "KINDRED_SERVICE_KEY": str(settings.service_key),
        "KINDRED_LINK_KEY": settings.link_key,
        "KINDRED_TOPOLOGY": str(settings.topology),
        "KINDRED_DEMO": "1",
    }


class WebProcess:
    def __init__(self, scene: Scene) -> None:
        self.port, self.scene = free_port(), scene
        environment = {
            **environment_of(scene.settings),
            "KINDRED_HTTP": f"127.0.0.1:{self.port}",
            "KINDRED_INTERNAL": f"127.0.0.1:{free_port()}",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SCRIPT], env=environment, stdout=subprocess.PIPE
        )
        wait_for(lambda: self.get("/health/matching/live") == 200, seconds=20)

    def get(self, path: str) -> int:
        return self._open(urllib.request.Request(f"http://127.0.0.1:{self.port}{path}"))

    def post(self, path: str) -> int:
        token = self.scene.token(caller(Role.OPERATOR))
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.port}{path}"
        return self._open(urllib.request.Request(url, data=b"{}", headers=headers, method="POST"))

    def _open(self, request: urllib.request.Request) -> int:
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()
        return status


@pytest.fixture
def web(database: Any) -> Iterator[WebProcess]:
    scene = Scene(Slow, database("matching"))
    web = WebProcess(scene)
    yield web
    if web.process.poll() is None:
        web.stop()
    scene.close()


def waiting_requests(web: WebProcess) -> int:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
    rows = web.scene.rows(f"{query} AND NOT granted")
    return int(rows[0]["count"])


def test_four_slow_queries_at_once_do_not_block_the_process(web: WebProcess) -> None:
    with ThreadPoolExecutor() as pool, psycopg.connect(web.scene.database.owner) as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        slow = [pool.submit(web.post, "/api/matching/wait") for _ in range(4)]
        wait_for(lambda: waiting_requests(web) == 4)

        assert web.get("/health/matching/ready") == 200
        assert not any(one.done() for one in slow)

        holder.execute("SELECT pg_advisory_unlock(4711)")
        assert [one.result() for one in slow] == [204] * 4


def test_a_request_under_way_is_answered_before_the_process_ends(web: WebProcess) -> None:
    with ThreadPoolExecutor() as pool, psycopg.connect(web.scene.database.owner) as holder:
        holder.execute("SELECT pg_advisory_lock(4711)")
        slow = pool.submit(web.post, "/api/matching/wait")
        wait_for(lambda: waiting_requests(web) == 1)
        stopped = pool.submit(web.stop)
        wait_for(lambda: web.get("/health/matching/live") == 0)

        holder.execute("SELECT pg_advisory_unlock(4711)")

        assert slow.result() == 204
        assert stopped.result() == 0


def test_a_port_in_use_stops_the_start(web: WebProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env={**os.environ, **_running_environment_of(web)},
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert second.returncode != 0
    assert web.get("/health/matching/live") == 200


def _running_environment_of(web: WebProcess) -> dict[str, str]:
    with open(f"/proc/{web.process.pid}/environ", "rb") as file:
        pairs = [entry.decode().partition("=") for entry in file.read().split(b"\0") if entry]
    return {name: value for name, _, value in pairs}
