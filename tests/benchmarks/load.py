"""Load from outside: a JSON client that keeps its connections, an open and a closed loop."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

# Enough that a slow answer never delays what is due next.
_MOST_AT_ONCE = 128
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Heard:
    """An answer as it came."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    def expect(self, status: int) -> "Heard":
        if self.status != status:
            raise Unexpected(f"{self.status} in place of {status}: {self.content[:300]!r}")
        return self


class Unexpected(Exception):
    """A measured request was not answered as it must be, so there is nothing to measure."""


@dataclass
class Client:
    """One connection a thread, kept open, without what a general client adds to each request."""

    url: str
    _local: threading.local = field(default_factory=threading.local)

    def call(
        self, method: str, path: str, *, token: str = "", body: Any = None, **headers: str
    ) -> Heard:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = self._connection()
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            return Heard(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def _connection(self) -> http.client.HTTPConnection:
        known = getattr(self._local, "connection", None)
        if known is None:
            place = urlsplit(self.url)
            known = http.client.HTTPConnection(
                place.hostname or "", place.port, timeout=_TIMEOUT_SECONDS
            )
            self._local.connection = known
        return known


def at_a_rate(count: int, per_second: float, act: Callable[[int], T]) -> list[T]:
    """Begin act(0), act(1) … on a fixed schedule, whatever becomes of those before (open loop).

    An answer that comes late delays nothing that is due after it, so a system that stalls is
    charged for everybody who would have come meanwhile: no omission is coordinated with it.
    """
    futures: list[Future[T]] = []
    with ThreadPoolExecutor(min(count, _MOST_AT_ONCE)) as threads:
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(began + number / per_second - time.monotonic(), 0))
            futures.append(threads.submit(act, number))
        return [future.result() for future in futures]


def side_by_side(at_once: int, numbers: Sequence[int], act: Callable[[int], T]) -> list[T]:
    """Have so many callers act one after the other, each beginning when its last one is done."""
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(act, numbers))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-int(share * 1000) * len(ordered) // 1000) - 1, 0)]
