"""Stock nameko: its own consumer on green threads, `max_workers` of them, a pool of psycopg's."""

# ruff: noqa: E402  the patch comes first, and psycopg reads how to wait when it is imported
import os

import eventlet

eventlet.monkey_patch()
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

from typing import Any

from kombu.entity import Queue
from nameko.extensions import DependencyProvider
from nameko.messaging import consume
from nameko.runners import run_services
from psycopg_pool import ConnectionPool

from tests.benchmarks.peers import work


class Database(DependencyProvider):
    pool: ConnectionPool

    def setup(self) -> None:
        size = work.CONCURRENCY
        self.pool = ConnectionPool(work.DSN, min_size=size, max_size=size, open=True)

    def stop(self) -> None:
        self.pool.close()

    def get_dependency(self, _context: Any) -> ConnectionPool:
        return self.pool


class Peer:
    name = "peer"
    database = Database()

    @consume(Queue(work.QUEUE, durable=True, queue_arguments=work.QUORUM))  # type: ignore[untyped-decorator]
    def activate(self, event: dict[str, Any]) -> None:
        with self.database.connection() as connection:
            work.do(connection, event)


if __name__ == "__main__":
    config = {"AMQP_URI": work.BROKER, "max_workers": work.CONCURRENCY}
    with run_services(config, Peer):
        while True:
            eventlet.sleep(1)
