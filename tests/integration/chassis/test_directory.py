"""Asking owners over real sockets: replicas, time limits, and what counts as away."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest

from services.chassis.errors import OwnerAway
from services.chassis.http.keys import kid_of, new_key
from services.chassis.http.tokens import ServiceIdentity
from services.chassis.internal import Directory, OwnerRefused, organisations_of
from services.chassis.settings import Address

IDENTITY = ServiceIdentity(new_key(kid_of("matching")))
NORTH, SOUTH = UUID(int=1), UUID(int=2)


@dataclass
class Owner:
    """A replica that answers as told, and remembers what it was asked."""

    status: int = 200
    body: bytes = b'{"needs": []}'
    pause_seconds: float = 0
    keeps_connections: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)


@contextmanager
def serving(owner: Owner) -> Iterator[Address]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            owner.asked.append({"path": self.path, "headers": self.headers, "body": body})
            owner.connections.add(self.client_address[1])
            time.sleep(owner.pause_seconds)
            self.send_response(owner.status)
            self.send_header("Content-Length", str(len(owner.body)))
            self.end_headers()
            self.wfile.write(owner.body)
            # Closed without a word, as when the replica was started anew.
            self.close_connection = not owner.keeps_connections

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Address("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.fixture
def nobody() -> Address:
    with socket.create_server(("127.0.0.1", 0)) as closed_soon:
        return Address("127.0.0.1", closed_soon.getsockname()[1])


def ask(directory: Directory, **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"purpose": "matching", "orgs": [SOUTH, NORTH], "body": {"ids": []}}
    return directory.ask("referrals", "/internal/needs", **(asked | changes))


def directory_of(*addresses: Address) -> Directory:
    return Directory(IDENTITY, {"referrals": addresses})


def test_a_question_says_who_asks_why_and_for_whom() -> None:
    owner = Owner()
    with serving(owner) as address:
        answer = ask(directory_of(address), body={"ids": [NORTH]})

    assert answer == {"needs": []}
    (asked,) = owner.asked
    assert asked["path"] == "/internal/needs"
    assert json.loads(asked["body"]) == {"ids": [str(NORTH)]}
    assert asked["headers"]["Kindred-Purpose"] == "matching"
    assert organisations_of(asked["headers"]["Kindred-Orgs"]) == {NORTH, SOUTH}
    assert asked["headers"]["Authorization"].startswith("Bearer ey")


def test_connections_are_kept() -> None:
    owner = Owner()
    with serving(owner) as address:
        directory = directory_of(address)
        for _ in range(5):
            ask(directory)

    assert len(owner.connections) == 1


def test_replicas_take_turns() -> None:
    first, second = Owner(), Owner()
    with serving(first) as one, serving(second) as other:
        directory = directory_of(one, other)
        for _ in range(6):
            ask(directory)

    assert (len(first.asked), len(second.asked)) == (3, 3)


@pytest.mark.parametrize("broken", [Owner(status=500), Owner(status=503), Owner(pause_seconds=3)])
def test_another_replica_answers_for_one_that_does_not(broken: Owner) -> None:
    whole = Owner()
    with serving(broken) as one, serving(whole) as other:
        directory = directory_of(one, other)
        answers = [ask(directory, timeout_seconds=0.6) for _ in range(2)]

    assert answers == [{"needs": []}] * 2


def test_a_replica_that_is_gone_is_passed_over(nobody: Address) -> None:
    with serving(Owner()) as address:
        directory = directory_of(nobody, address)

        assert [ask(directory) for _ in range(4)] == [{"needs": []}] * 4


def test_a_connection_closed_meanwhile_is_opened_anew() -> None:
    owner = Owner(keeps_connections=False)
    with serving(owner) as address:
        directory = directory_of(address)
        for _ in range(5):
            assert ask(directory) == {"needs": []}


def test_an_owner_without_any_replica_is_away(nobody: Address) -> None:
    for directory in (directory_of(nobody), directory_of(), Directory(IDENTITY, {})):
        with pytest.raises(OwnerAway):
            ask(directory)


def test_waiting_ends_in_time() -> None:
    with serving(Owner(pause_seconds=3)) as one, serving(Owner(pause_seconds=3)) as other:
        directory = directory_of(one, other)
        began = time.monotonic()
        with pytest.raises(OwnerAway):
            ask(directory, timeout_seconds=0.4)

        assert time.monotonic() - began < 1


def test_a_refusal_is_told_with_its_slug() -> None:
    body = b'{"type": "urn:kindred:problem:not-askable", "status": 409}'
    with serving(Owner(status=409, body=body)) as address, pytest.raises(OwnerRefused) as refusal:
        ask(directory_of(address))

    assert (refusal.value.status, refusal.value.slug) == (409, "not-askable")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null"])
def test_an_answer_that_cannot_be_read_is_refused(body: bytes) -> None:
    with serving(Owner(body=body)) as address, pytest.raises(OwnerRefused):
        ask(directory_of(address))


def test_too_many_organisations_are_refused_before_asking() -> None:
    with pytest.raises(ValueError, match="240"):
        ask(directory_of(), orgs=map(UUID, [f"{number:032x}" for number in range(241)]))
