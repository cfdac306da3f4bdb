"""The web role: HTTP only, patched by eventlet: `python -m services.chassis.hosting.web <service>`.

The order of the first lines matters: psycopg reads the wait function when it is imported, and
its compiled one would block every green thread of the process.
"""

# ruff: noqa: E402
import os

import eventlet

eventlet.monkey_patch()
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import socket
import sys
from collections.abc import Callable, Generator, Iterable
from typing import Any

import psycopg
from nameko.extensions import Entrypoint
from nameko.web.server import WebServer
from werkzeug.wrappers import Request as WsgiRequest

from services.chassis.database import Database
from services.chassis.hosting import green_wait
from services.chassis.hosting.host import (
    check_migrations,
    host,
    read_settings,
    refusing,
    service_named,
)
from services.chassis.http.application import internal_application, public_application
from services.chassis.http.keys import PublicKeys
from services.chassis.http.pipeline import Pipeline
from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.tokens import Verifier
from services.chassis.http.visits import Visits
from services.chassis.internal import Directory
from services.chassis.log import configure, get_log
from services.chassis.refusals import Refusal
from services.chassis.service import Service
from services.chassis.settings import Address
from services.chassis.work import Workplace

log = get_log(__name__)

green_wait.install()

Handle = Callable[[RawRequest], RawResponse]
DRAIN_SECONDS = 6.0
# How often, and for how long each time, the trial of the wait function waits at most.
_STEPS, _STEP_SECONDS = 20, 0.05
REASONS = {428: "Precondition Required", 422: "Unprocessable Content"}


def require_green_wait() -> None:
    """Refuse a wait in C, which would stop every green thread; and try one, whatever its name."""
    chosen = getattr(psycopg.waiting.wait, "__name__", "unknown")
    if chosen != green_wait.wait_green.__name__ or not _others_go_on():
        raise Refusal(f"psycopg waits by {chosen}, which stops all others in a web process")


def _others_go_on() -> bool:
    """Wait for what another green thread can only send while this one waits."""
    ours, theirs = socket.socketpair()

    def until_sent() -> Generator[psycopg.waiting.Wait, psycopg.waiting.Ready | int, bool]:
        for _ in range(_STEPS):
            if (yield psycopg.waiting.Wait.R):
                return True
        return False

    with ours, theirs:
        sender = eventlet.spawn(theirs.send, b".")
        came = psycopg.waiting.wait(until_sent(), ours.fileno(), _STEP_SECONDS)
        sender.wait()
    return bool(came)


class Port(WebServer):
    """nameko's web server on an address of ours, answering through one function."""

    def __init__(self, address: Address, handle: Handle) -> None:
        super().__init__()
        self.address = address
        self.handle = handle
        self.in_flight = 0

    def start(self) -> None:
        self._sock = _listen(self.address)
        self._serv = self.get_wsgi_server(self._sock, self.answer)
        self._gt = self.container.spawn_managed_thread(self.run)

    def process_request(self, sock: Any, address: Any) -> None:
        try:
            super().process_request(sock, address)
        except OSError:
            # The client went away; raised further, it would end the whole container.
            log.debug("client_gone")

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, **more: Any) -> Any:
        server = super().get_wsgi_server(sock, wsgi_app, **more)
        # eventlet's access log quotes paths, and paths may hold a link's secret.
        server.log_output = False
        server.minimum_chunk_size = 0
        server.keepalive = True
        return server

    def stop(self) -> None:
        """Take no new connection, and let the requests under way answer."""
        self._is_accepting = False
        self._gt.kill()
        self._sock.close()
        with eventlet.Timeout(DRAIN_SECONDS, exception=False):
            while self.in_flight:
                eventlet.sleep(0.02)

    def answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Count the request until its last byte is written, so that a stop waits for it."""
        self.in_flight += 1
        try:
            response = self.handle(_raw_request(environ))
            headers = [*response.headers.items(), ("Content-Length", str(len(response.body)))]
            start_response(f"{response.status} {REASONS.get(response.status, '')}", headers)
            if environ["REQUEST_METHOD"] != "HEAD":
                yield response.body
        finally:
            self.in_flight -= 1


class ServePort(Entrypoint):
    """The entrypoint that keeps a port open while the service runs."""

    def __init__(self, address: Address, handle: Handle) -> None:
        self.server_address = address
        self.handle = handle
        super().__init__(address, handle)

    def setup(self) -> None:
        self.port = Port(self.server_address, self.handle)
        self.port.container = self.container

    def start(self) -> None:
        self.port.start()

    def stop(self) -> None:
        self.port.stop()


def _listen(address: Address) -> Any:
    """Listen without SO_REUSEPORT: a port in use must stop the start, not share its requests."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it. A long answer is sent in two parts, of which the second would
    # wait 40 ms for the acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((address.host, address.port))
    listener.listen(512)
    return listener


def _raw_request(environ: dict[str, Any]) -> RawRequest:
    request = WsgiRequest(environ, shallow=True)
    return RawRequest(
        method=request.method,
        path=request.path,
        query=environ.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        read_body=_reader(environ),
        remote=request.remote_addr or "",
    )


def _reader(environ: dict[str, Any]) -> Callable[[int], bytes]:
    """Read no more than asked for; a body without a length comes in chunks until its end."""

    def read(limit: int) -> bytes:
        if environ.get("CONTENT_LENGTH"):
            limit = min(limit, int(environ["CONTENT_LENGTH"]))
        elif "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", ""):
            return b""
        parts, left = [], limit
        while left > 0 and (part := environ["wsgi.input"].read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    return read


def serve(service: type[Service]) -> int:
    """Serve a service's public and internal ports until told to stop."""
    with refusing():
        require_green_wait()
    name = service.name
    settings = read_settings()
    configure(f"{name}.web")
    database = Database(settings.database, name=f"{name}.web", pool_size=settings.pool_size)
    database.open()
    check_migrations(database, name)
    keys = PublicKeys(settings.token_keys)
    verifier = Verifier(keys, settings.token_issuer, name)
    workplace = Workplace(service, database, settings)
    visits = Visits.from_settings(settings, keys)
    pipeline = Pipeline(workplace, Directory.from_settings(settings), verifier, visits)
    status = host(
        name,
        "web",
        {
            "public": (ServePort, (settings.http, public_application(pipeline).handle)),
            "internal": (ServePort, (settings.internal, internal_application(pipeline).handle)),
        },
    )
    database.close()
    return status


if __name__ == "__main__":
    sys.exit(serve(service_named(sys.argv[1])))
