"""Kills what is frozen: a process that left several questions whether it lives unanswered.

The keeper then starts it anew. A stopped process, one whose hub is blocked, and one that waits
for itself look the same from outside: the port takes connections, and nobody answers.
"""

import asyncio
import contextlib
import signal
import time
from dataclasses import dataclass

from deploy.machine.keeper import Keeper, say
from deploy.machine.ports import LOOPBACK
from deploy.machine.processes import Identity, Process
from deploy.machine.run_folder import whole_number

# In a row, so that one long pause of a loaded machine does not count. With the setting's default
# a frozen process is killed 8 to 10 s after it was last well.
MISSES = 4
# For a process that has not answered even once since it was started.
_START_SECONDS = 60.0
_SOON_SECONDS = 0.3  # until everybody has answered once
_QUESTION = b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n"


def probe_seconds() -> int:
    """How long an answer may take, and the time between questions; 0 asks nobody."""
    return whole_number("KINDRED_LIVE_SECONDS", 2, 0, 3600)


@dataclass
class _Heard:
    """When a process last answered or was last counted as missing, and how often in a row."""

    at: float
    misses: int = 0


class Liveness:
    """Asks every kept process that has a live port."""

    def __init__(self, keeper: Keeper, seconds: float) -> None:
        self.keeper = keeper
        self.seconds = seconds
        self._heard: dict[Identity, _Heard] = {}  # only of those that have answered once

    def run(self) -> None:
        while self.seconds and not self.keeper.stopping.is_set():
            began = time.monotonic()
            pause = self.seconds if self.look() else _SOON_SECONDS
            self.keeper.stopping.wait(max(pause - (time.monotonic() - began), 0.0))

    def look(self) -> bool:
        """Ask all at once and kill whoever missed too often; tell whether all answered."""
        asked = self.keeper.with_live_port()
        answered = asyncio.run(self._ask(asked))
        now = [process.identity for process in asked]
        self._heard = {one: heard for one, heard in self._heard.items() if one in now}
        for process, did in zip(asked, answered, strict=True):
            if did:
                self._heard[process.identity] = _Heard(time.monotonic())
            elif self._is_silent(process):
                self._heard[process.identity] = _Heard(time.monotonic())
                say(f"{process.program.name} does not answer and is killed")
                process.identity.send(signal.SIGKILL)
        return all(answered)

    def _is_silent(self, process: Process) -> bool:
        """Count the miss; a port that is closed answers at once, which is no reason to hurry."""
        now = time.monotonic()
        heard = self._heard.get(process.identity)
        if heard is None:
            return now - process.began > _START_SECONDS
        if now - heard.at >= self.seconds:
            heard.at, heard.misses = now, heard.misses + 1
        return heard.misses >= MISSES

    async def _ask(self, processes: list[Process]) -> list[bool]:
        return await asyncio.gather(*(self._answers(one.program.live_port) for one in processes))

    async def _answers(self, port: int | None) -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self.seconds):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                try:
                    writer.write(_QUESTION)
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False
