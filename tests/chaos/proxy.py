"""A TCP proxy before a server, whose links misbehave as they are told while they run.

A half-open link takes everything and gives nothing, so that only a heartbeat or a time limit can
notice; whoever lost bytes on it is reset when it heals, as by a gateway that forgot the connection.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

LOOPBACK = "127.0.0.1"
FORTH, BACK = "forth", "back"  # towards the server, towards the client
_CHUNK = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a link treats what passes; without any of these it passes at once and whole."""

    latency: float = 0.0  # seconds, each way
    answer_latency: float = 0.0  # seconds more for what the server says
    jitter: float = 0.0  # up to so many seconds more, by chance
    bytes_per_second: int | None = None
    slice_bytes: int | None = None  # in pieces of so many bytes, each a segment of its own
    half_open: bool = False

    def delay(self, way: str) -> float:
        more = self.answer_latency if way == BACK else 0.0
        return self.latency + more + random.uniform(0.0, self.jitter)

    def pieces(self, data: bytes) -> list[bytes]:
        size = self.slice_bytes or _CHUNK
        if self.bytes_per_second:
            size = min(size, max(self.bytes_per_second // 20, 1))
        return [data[at : at + size] for at in range(0, len(data), size)]


class Link:
    """One listening port before one upstream port, with the manner of all its connections."""

    def __init__(self, upstream: int, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream  # may be changed: the next connection goes there
        self.manner = Manner()
        self.port = 0
        self.accepted = 0
        self.bytes = {FORTH: 0, BACK: 0}
        self._loop = loop
        self._open: set[_Carried] = set()
        self._cut_after: int | None = None
        self._server: asyncio.Server | None = None

    @property
    def connections(self) -> int:
        """How many are open now."""
        return len(self._open)

    def behave(self, **manner: Any) -> None:
        """Change the manner; what is not named is as it was."""
        self._call(self._set_manner, replace(self.manner, **manner))

    def heal(self) -> None:
        """Pass everything again; whoever lost bytes meanwhile is reset."""
        self._call(self._set_manner, Manner())

    def cut(self) -> None:
        """Reset every connection that is open now."""
        self._call(self._reset_all)

    def cut_after(self, count: int) -> None:
        """Reset the connection on which this many more bytes have passed, in a frame's middle."""
        self._call(self._set_cut, count)

    def _call(self, act: Callable[..., None], *arguments: Any) -> None:
        """Act in the loop's thread, and return when it is done."""

        async def run() -> None:
            act(*arguments)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(5)

    def _set_manner(self, manner: Manner) -> None:
        self.manner = manner
        if not manner.half_open:
            for carried in [one for one in self._open if one.has_lost]:
                carried.reset()

    def _set_cut(self, count: int) -> None:
        self._cut_after = count

    def _reset_all(self) -> None:
        for carried in list(self._open):
            carried.reset()

    async def listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
        self._reset_all()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            there = await asyncio.open_connection(LOOPBACK, self.upstream)
        except OSError:
            _abort(writer)
            return
        carried = _Carried(self, (reader, writer), there)
        self._open.add(carried)
        await carried.run()
        self._open.discard(carried)

    def allowed(self, count: int) -> int:
        """How many of so many bytes may pass before the cut."""
        if self._cut_after is None:
            return count
        passing = min(count, self._cut_after)
        self._cut_after = None if passing < count else self._cut_after - count
        return passing


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Arrived = asyncio.Queue[tuple[float, bytes]]


class _Carried:
    """One connection and its counterpart."""

    def __init__(self, link: Link, client: Ends, server: Ends) -> None:
        self.link = link
        self.client = client
        self.server = server
        self.has_lost = False
        self._ways: list[asyncio.Task[None]] = []
        for _, writer in (client, server):
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run(self) -> None:
        """Carry both ways until both have ended, or one is broken."""
        for reader, writer, way in (
            (self.client[0], self.server[1], FORTH),
            (self.server[0], self.client[1], BACK),
        ):
            arrived: Arrived = asyncio.Queue(64)
            self._ways.append(asyncio.create_task(_read(reader, arrived)))
            self._ways.append(asyncio.create_task(self._pass_on(arrived, writer, way)))
        await asyncio.wait(self._ways, return_when=asyncio.FIRST_EXCEPTION)
        self.reset()
        await asyncio.gather(*self._ways, return_exceptions=True)

    def reset(self) -> None:
        """End both connections as a peer that is suddenly gone."""
        for _, writer in (self.client, self.server):
            _abort(writer)
        for way in self._ways:
            way.cancel()

    async def _pass_on(self, arrived: Arrived, writer: asyncio.StreamWriter, way: str) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            at, data = await arrived.get()
            await asyncio.sleep(max(at + self.link.manner.delay(way) - clock(), 0))
            if self.link.manner.half_open:
                self.has_lost = True
            elif data:
                await self._write(data, writer, way)
            else:
                writer.write_eof()
                return

    async def _write(self, data: bytes, writer: asyncio.StreamWriter, way: str) -> None:
        manner = self.link.manner
        for piece in manner.pieces(data):
            if manner.bytes_per_second:
                await asyncio.sleep(len(piece) / manner.bytes_per_second)
            passing = self.link.allowed(len(piece))
            self.link.bytes[way] += passing
            writer.write(piece[:passing])
            await writer.drain()
            if passing < len(piece):
                raise ConnectionResetError  # both ways end by it


async def _read(reader: asyncio.StreamReader, arrived: Arrived) -> None:
    """Read ahead, so that latency delays and does not throttle."""
    data = b"first"
    while data:
        data = await reader.read(_CHUNK)
        await arrived.put((asyncio.get_running_loop().time(), data))


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset instead of an end."""
    ours = writer.get_extra_info("socket")
    with suppress(OSError):  # closed already
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


class Proxy:
    """Any number of links, served by a thread of its own until the block ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._links: list[Link] = []
        self._thread.start()

    def before(self, upstream: int, *, port: int = 0) -> Link:
        """A new link to a port of this machine, on a free port or on a given one."""
        link = Link(upstream, self._loop)
        asyncio.run_coroutine_threadsafe(link.listen(port), self._loop).result(5)
        self._links.append(link)
        return link

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        for link in self._links:
            await link.close()
        ourselves = asyncio.current_task()
        left = [task for task in asyncio.all_tasks() if task is not ourselves]
        if left:
            await asyncio.wait(left, timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
