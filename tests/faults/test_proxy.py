"""The proxy itself: a test that a fault was survived is worth nothing if there was none."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.proxy import BACK, FORTH, Link, Proxy
from tests.support import wait_for


class Echo:
    """Says back whatever it is told."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while data := connection.recv(65536):
                connection.sendall(data)


@pytest.fixture
def link() -> Iterator[Link]:
    echo = Echo()
    with Proxy() as proxy:
        yield proxy.before(echo.port)
    echo.listener.close()


def connect(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=5)


def said_back(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    heard = b""
    while len(heard) < len(data):
        heard += connection.recv(65536)
    return heard


def test_a_link_passes_everything_and_counts_it(link: Link) -> None:
    data = bytes(range(256)) * 2000

    with connect(link) as connection:
        assert said_back(connection, data) == data
        assert link.bytes == {FORTH: len(data), BACK: len(data)}
        assert (link.accepted, link.connections) == (1, 1)

    wait_for(lambda: link.connections == 0)


def test_slices_and_latency_change_when_and_not_what_arrives(link: Link) -> None:
    link.behave(slice_bytes=1, latency=0.05, jitter=0.02)

    with connect(link) as connection:
        asked = time.monotonic()
        assert said_back(connection, b"in pieces") == b"in pieces"

    assert time.monotonic() - asked >= 0.1


def test_a_link_of_few_bytes_a_second_takes_its_time(link: Link) -> None:
    link.behave(bytes_per_second=2000)

    with connect(link) as connection:
        asked = time.monotonic()
        assert said_back(connection, b"x" * 1000) == b"x" * 1000

    assert time.monotonic() - asked >= 0.45


def test_a_half_open_link_is_silent_and_resets_whoever_lost_bytes_when_it_heals(
    link: Link,
) -> None:
    with connect(link) as connection, connect(link) as idle:
        assert said_back(idle, b"here") == b"here"
        link.behave(half_open=True)
        connection.sendall(b"into the void")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)

        link.heal()

        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        assert said_back(idle, b"still here") == b"still here"


def test_a_cut_comes_in_the_middle_of_what_is_said(link: Link) -> None:
    with connect(link) as connection:
        assert said_back(connection, b"whole") == b"whole"
        link.cut_after(7)
        connection.sendall(b"0123456789")
        heard = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                heard += piece
        assert len(heard) < 10

    with connect(link) as another:
        assert said_back(another, b"again") == b"again"


def test_a_cut_ends_whatever_is_open(link: Link) -> None:
    with connect(link) as connection:
        assert said_back(connection, b"whole") == b"whole"
        link.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
