"""Connections to RabbitMQ. Services declare nothing: topology is applied by a deploy step."""

import random
import socket
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from kombu.connection import Connection

# The broker drops whom it has not heard for two to three of these, and with a consumer its seat.
HEARTBEAT_SECONDS = 6
_READ_AHEAD_BYTES = 32 * 1024


class BrokerConnection(Connection):
    """Dropped without a farewell when its user fails: a broker that hangs would not answer it."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.collect()


def open_connection(urls: str, name: str) -> BrokerConnection:
    """Connect to one of the broker's nodes, with heartbeats that the caller must tick, or raise.

    `urls` names one node, or several with `;` between them. Each has 5 s to answer; they are
    tried in a random order, so that replicas spread over the nodes and no dead node is always
    first.
    """
    nodes = urls.split(";")
    random.shuffle(nodes)
    connection = BrokerConnection(
        nodes,
        heartbeat=HEARTBEAT_SECONDS,
        connect_timeout=5,
        transport_options={
            "client_properties": {"connection_name": name},
            "read_timeout": 15,
            "write_timeout": 15,
            # py-amqp's default of one second is too short for a lossy link.
            "socket_settings": {socket.TCP_USER_TIMEOUT: 10_000},
        },
    )
    connection.ensure_connection(
        max_retries=len(nodes) - 1,
        interval_start=0,
        interval_step=0,
        reraise_as_library_errors=False,
    )
    return connection


class Inbound:
    """Reads what the broker sends, many frames a system call.

    py-amqp asks the socket for each piece of a frame and sets its timeout for each frame, which
    costs more than the frames themselves; its buffer takes whatever comes at once.
    """

    def __init__(self, connection: Connection) -> None:
        below = connection.connection
        self._transport = below.transport
        self._on_frame = below.on_inbound_frame
        receive = self._transport._quick_recv
        self._transport._quick_recv = lambda wanted: receive(max(wanted, _READ_AHEAD_BYTES))

    def read(self, *, until: Callable[[], bool], seconds: float) -> None:
        """Read frames until that is true, or nothing comes for so long."""
        with suppress(TimeoutError), self._transport.having_timeout(seconds):
            while not until():
                self._on_frame(self._transport.read_frame())
