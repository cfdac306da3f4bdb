"""Connections to RabbitMQ. Services declare nothing: topology is applied by a deploy step."""

import socket

from kombu.connection import Connection

HEARTBEAT_SECONDS = 10


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
