"""A mail server that delivers nowhere: each message becomes a file, listed in index.jsonl.

An address at refused.example is refused for good, one at later.example for now, so that what
becomes of such messages can be seen.
"""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.machine.ports import LOOPBACK
from deploy.machine.run_folder import write_atomically

INDEX = "index.jsonl"
_ANSWERS = {
    "refused.example": "550 5.1.1 No such mailbox",
    "later.example": "451 4.3.0 Try again later",
}


class Sink:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = len(list(folder.glob("*.eml")))

    async def handle_RCPT(  # noqa: N802  aiosmtpd's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = _ANSWERS.get(address.rpartition("@")[2].casefold())
        if refusal is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.count += 1
        content = envelope.content or b""
        path = self.folder / f"{self.count:06d}.eml"
        write_atomically(path, content)
        entry = {
            "file": path.name,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
        }
        with (self.folder / INDEX).open("a") as index:
            index.write(json.dumps(entry) + "\n")
        return "250 2.0.0 OK"


def main(arguments: list[str], make_sink: Callable[[Path], Sink] = Sink) -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.machine.mail_sink")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sink = Controller(make_sink(options.folder), hostname=options.host, port=options.port)
    sink.start()
    stop.wait()
    sink.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
