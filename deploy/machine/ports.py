"""Loopback ports: which are free, and whether one is taken."""

import errno
import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ports that Linux hands to outgoing connections, so none of those takes ours meanwhile.
_FIRST, _LAST = 10_000, 32_000


def is_free(port: int) -> bool:
    """Tell whether nobody listens there.

    Without SO_REUSEPORT, for eventlet sets it and would share a taken port silently.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


class FreePorts:
    """Gives free ports, none of them twice."""

    def __init__(self) -> None:
        self.given: set[int] = set()

    def take(self) -> int:
        while True:
            port = random.randint(_FIRST, _LAST)  # noqa: S311  not a secret
            if port not in self.given and is_free(port):
                self.given.add(port)
                return port


def answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
