"""Speaking to the broker: its node by Erlang, and as the administrator by AMQP."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import amqp

from deploy.machine.rabbitmq_definitions import ADMIN, VHOST
from tests.acceptance.running import Running

_SECONDS = 30
_TRIES = 4


@dataclass(frozen=True)
class Node:
    system: Running

    def tell(self, erlang: str) -> str:
        """Have the node evaluate an expression; tried again, for what disturbs must be righted."""
        for _ in range(_TRIES - 1):
            try:
                return self._tell(erlang)
            except (OSError, subprocess.SubprocessError):
                time.sleep(1)
        return self._tell(erlang)

    def _tell(self, erlang: str) -> str:
        cookie = (self.system.run_folder / "rabbitmq" / ".erlang.cookie").read_text().strip()
        done = subprocess.run(
            ["erl_call", "-sname", "kindred@localhost", "-c", cookie, "-timeout", "20", "-e"],
            input=f"{erlang}.\n",
            env={**os.environ, "ERL_EPMD_PORT": str(self.system.port("epmd", "epmd"))},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return done.stdout

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Past the proxy, so that a fault on the link does not meet it."""
        with amqp.Connection(
            host=f"127.0.0.1:{self.system.port('rabbitmq', 'amqp')}",
            userid=ADMIN,
            password=self.system.secret("rabbitmq"),
            virtual_host=VHOST,
            connect_timeout=5,
            read_timeout=10,
            write_timeout=10,
        ) as connection:
            yield connection.channel()

    def answers(self) -> bool:
        try:
            with self.channel():
                return True
        except (OSError, amqp.AMQPError):
            return False
