"""A worker's loopback port: whether its loops are alive, and its metrics."""

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.settings import Address


class Watched(Protocol):
    name: str
    thread: threading.Thread

    @property
    def fault(self) -> str | None: ...


def state_of(loops: Sequence[Watched]) -> dict[str, str]:
    """What is wrong with which loop; empty when all is well."""
    wrong = {}
    for loop in loops:
        if not hasattr(loop, "thread"):
            wrong[loop.name] = "not started"
        elif not loop.thread.is_alive():
            wrong[loop.name] = "ended"
        elif fault := loop.fault:
            wrong[loop.name] = fault
    return wrong


def serve_watch(address: Address, loops: Sequence[Watched]) -> ThreadingHTTPServer:
    """Serve /health/live, /health/ready and /metrics from a thread of their own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            elif self.path == "/health/live":
                self._answer(200, "application/json", b'{"status": "live"}')
            elif self.path == "/health/ready":
                wrong = state_of(loops)
                body = json.dumps(
                    {"status": "not ready", "loops": wrong} if wrong else {"status": "ready"}
                )
                self._answer(503 if wrong else 200, "application/json", body.encode())
            else:
                self._answer(
                    404, "application/problem+json", b'{"title": "Not found", "status": 404}'
                )

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Requests are not logged: whoever watches asks every few seconds."""

    server = ThreadingHTTPServer((address.host, address.port), Handler)
    threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
    return server
