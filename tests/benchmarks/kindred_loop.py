"""One loop of one service, run as its worker process does: the same threads, host and metrics.

The process's other loops are left out: no peer publishes what it writes into the outbox.
`python -m tests.benchmarks.kindred_loop <service> <loop>`
"""

import sys

from services.chassis.hosting.host import host, read_settings, service_named
from services.chassis.hosting.watch import serve_watch
from services.chassis.hosting.worker import RunThread, Worker
from services.chassis.log import configure


def main(name: str, loop: str) -> int:
    settings = read_settings()
    configure(f"{name}.worker")
    worker = Worker(service_named(name), settings)
    worker.database.open()
    threads = [thread for thread in worker.threads() if thread.name == loop]
    serve_watch(settings.internal, threads)
    status = host(name, "worker", {"loop": (RunThread, (threads[0],))})
    worker.database.close()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
