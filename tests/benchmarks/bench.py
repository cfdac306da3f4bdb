"""What every measurement finds set up: servers of its own, as durable as those of `make up`."""

import fcntl
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from typing import Self

from deploy.machine import control
from deploy.machine.ledger import Ledger
from deploy.machine.postgres import PrivatePostgres
from deploy.machine.rabbitmq import PrivateRabbit
from deploy.machine.run_folder import CannotStart, RunFolder
from tests.support import Databases

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run" / "bench"


class Bench:
    """Starts a server when it is first asked for; everything is stopped when the block ends."""

    def __init__(self, only: str = "", folder: Path = RUN) -> None:
        self.only = only
        self.folder = folder
        self._at_the_end = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._be_the_only_one()
        self.end_leftovers()
        return self

    def _be_the_only_one(self) -> None:
        """Two at once would end each other's servers; a killed one holds the lock no longer."""
        lock = self._at_the_end.enter_context((self.folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another bench is at work in {self.folder}.") from None

    def end_leftovers(self) -> None:
        """End what a killed run left, servers and whole systems, before it disturbs this one."""
        for beside in ("*", "*/bare"):
            for written in self.folder.glob(f"{beside}/processes.json"):
                Ledger(written).end_leftovers()
        for state in self.folder.glob("*/supervisor.json"):
            control.clean(RunFolder(state.parent))

    def empty(self, name: str) -> Path:
        """A folder for one server: what an earlier run left there is ended and removed."""
        folder = self.folder / name
        Ledger(folder / "processes.json").end_leftovers()
        rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def __exit__(self, *_: object) -> None:
        self._at_the_end.close()

    def wants(self, name: str) -> bool:
        return name.startswith(self.only)

    def at_the_end(self, stop: Callable[[], object]) -> None:
        """Have this called at the end and on Ctrl-C, the last given first."""
        self._at_the_end.callback(stop)

    @cached_property
    def postgres(self) -> str:
        """An administrator's DSN."""
        server = PrivatePostgres(self.empty("postgres"), durable=True)
        self.at_the_end(server.stop)
        return server.start().dsn

    @cached_property
    def databases(self) -> Databases:
        return Databases(self.postgres)

    @cached_property
    def broker(self) -> str:
        """An administrator's AMQP URL."""
        server = PrivateRabbit(self.empty("rabbitmq"))
        self.at_the_end(server.stop)
        return server.start().url
