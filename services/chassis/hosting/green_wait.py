"""How psycopg waits in the web role: on eventlet's hub, without a selector for each statement."""

from math import inf
from select import POLLIN, POLLOUT
from time import monotonic
from typing import TypeVar

import eventlet
import psycopg
from eventlet.hubs import trampoline
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.waiting import Ready, Wait

T = TypeVar("T")

_LOOK_SECONDS = 0.001

_poll = eventlet.patcher.original("select").poll


def wait_green(
    gen: PQGen[T],
    fileno: int,
    interval: float = 0.0,  # noqa: ARG001  psycopg names it
    timeout: float | None = None,
) -> T:
    """Let other green threads run until the socket is ready, as often as the generator asks.

    It has psycopg's own signature, but `timeout` is for each wait: a server that has said
    something lives.
    """
    try:
        wanted = next(gen)
        while True:
            wanted = gen.send(_ready(fileno, wanted, timeout))
    except StopIteration as finished:
        result: T = finished.value
        return result


def install() -> None:
    psycopg.waiting.wait = wait_green


def _ready(fileno: int, wanted: Wait, timeout: float | None) -> Ready:
    """A socket nearly always takes what is sent; what is answered is worth a switch."""
    if not wanted & Wait.W:
        trampoline(fileno, read=True, timeout=timeout, timeout_exc=_WaitTimeout)
        return Ready.R
    until = monotonic() + timeout if timeout is not None else inf
    poll = _poll()
    poll.register(fileno, POLLIN | POLLOUT if wanted & Wait.R else POLLOUT)
    # The hub waits for one direction at a time; a server whose answers nobody reads takes nothing.
    while not (found := poll.poll(0)):
        if monotonic() > until:
            raise _WaitTimeout
        eventlet.sleep(_LOOK_SECONDS)
    _, flags = found[0]
    is_readable, is_writable = flags & ~POLLOUT, flags & POLLOUT
    return Ready(Ready.R * bool(is_readable) | Ready.W * bool(is_writable))
