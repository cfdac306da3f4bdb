"""A port in use is seen, also one that eventlet would share."""

import socket

import pytest

from deploy.machine.ports import LOOPBACK, FreePorts, is_free


@pytest.mark.parametrize("address", [LOOPBACK, "0.0.0.0"])  # noqa: S104
@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_port_that_somebody_listens_on_is_not_free(address: str, option: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((address, 0))
        listener.listen()

        assert not is_free(listener.getsockname()[1])


def test_no_port_is_given_twice() -> None:
    ports = FreePorts()

    given = [ports.take() for _ in range(50)]

    assert len(set(given)) == 50
