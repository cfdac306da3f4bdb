"""Connections to RabbitMQ. Services declare nothing: topology is applied by a deploy step."""

import socket

from kombu.connection import Connection

# The broker drops whom it has not heard for two to three of these, and with a consumer its seat.
HEARTBEAT_SECONDS = 6


def open_connection(url: str, name: str) -> Connection:
    """Connect within 5 s, with heartbeats that the caller must tick, or raise."""
    connection = Connection(
        url,
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
    connection.connect()
    return connection
