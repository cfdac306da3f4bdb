"""Celery with acks_late in one process: `solo`, or as many threads as CONCURRENCY says."""

import threading
from typing import Any

import psycopg
from celery import Celery
from kombu.entity import Queue

from tests.benchmarks.peers import work

TASK = "activate"

app = Celery("peer", broker=work.BROKER)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_queues=[Queue(work.QUEUE, durable=True, queue_arguments=work.QUORUM)],
    task_default_queue_type="quorum",
    worker_prefetch_multiplier=max(128 // work.CONCURRENCY, 1),
    worker_detect_quorum_queues=True,
    worker_hijack_root_logger=False,
)
local = threading.local()


@app.task(name=TASK)  # type: ignore[untyped-decorator]
def activate(event: dict[str, Any]) -> None:
    if not hasattr(local, "connection"):
        local.connection = psycopg.connect(work.DSN)
    with local.connection.transaction():
        work.do(local.connection, event)


if __name__ == "__main__":
    kind = "solo" if work.CONCURRENCY == 1 else "threads"
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=error"]
    app.worker_main(["worker", f"--pool={kind}", f"--concurrency={work.CONCURRENCY}", *quiet])
