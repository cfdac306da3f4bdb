"""Hosts a service's role as production does, and ends the process at a named point when told to.

`python -m tests.chaos.crash_points web|worker <service>`. Production code holds no hooks: each
point wraps a boundary from outside. Its folder, KINDRED_CRASH_POINTS, holds a file for each armed
point; the one process that takes the file away ends there, as by kill -9.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

FOLDER = "KINDRED_CRASH_POINTS"
STATUS = 137

IN_TRANSACTION = "in-transaction"  # every statement made, nothing committed
AFTER_COMMIT = "after-commit"  # and not acknowledged
AFTER_PUBLISH = "after-publish"  # and no confirm read
AFTER_CONFIRM = "after-confirm"  # and the row still in the outbox
AFTER_MAIL = "after-mail"  # the mail server took it, and we did not write that down
BEFORE_ANSWER = "before-answer"  # a request's effect is committed, and its answer never leaves
WORKER_POINTS = (IN_TRANSACTION, AFTER_COMMIT, AFTER_PUBLISH, AFTER_CONFIRM, AFTER_MAIL)

Set = Callable[[Any, str, Any], None]  # setattr, or a test's monkeypatch.setattr


@dataclass(frozen=True)
class CrashPoints:
    """The armed points of one run; an arming fires once, in whichever process comes first."""

    folder: Path

    def arm(self, service: str, point: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._hit(service, point).unlink(missing_ok=True)
        self._armed(service, point).touch()

    def disarm(self, service: str, point: str) -> None:
        self._armed(service, point).unlink(missing_ok=True)

    def was_hit(self, service: str, point: str) -> bool:
        return self._hit(service, point).exists()

    def end_here(self, service: str, point: str) -> None:
        """End this process if the point is armed."""
        try:
            self._armed(service, point).rename(self._hit(service, point))
        except FileNotFoundError:
            return
        os._exit(STATUS)

    def _armed(self, service: str, point: str) -> Path:
        return self.folder / f"{service}.{point}"

    def _hit(self, service: str, point: str) -> Path:
        return self.folder / f"{service}.{point}.hit"


def install(end: Callable[[str], None], set_: Set) -> None:
    """Have `end` called with a point's name whenever the process comes to it."""
    import smtplib

    import amqp

    from services.chassis import inbox, outbox, relay
    from services.chassis.http.application import Application

    for module, name in ((inbox, "store_positions"), (outbox, "store")):
        set_(module, name, _after(getattr(module, name), lambda: end(IN_TRANSACTION)))
    set_(amqp.Channel, "basic_ack", _before(amqp.Channel.basic_ack, lambda: end(AFTER_COMMIT)))
    publish = _after(amqp.Channel.basic_publish, lambda: end(AFTER_PUBLISH))
    set_(amqp.Channel, "basic_publish", publish)
    set_(relay, "settle", _before_settling(relay.settle, lambda: end(AFTER_CONFIRM)))
    set_(smtplib.SMTP, "data", _after(smtplib.SMTP.data, lambda: end(AFTER_MAIL)))
    set_(Application, "handle", _before_answering(Application.handle, lambda: end(BEFORE_ANSWER)))


def _before(function: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        act()
        return function(*arguments, **named)

    return wrapped


def _after(function: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        act()
        return result

    return wrapped


def _before_settling(settle: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    @wraps(settle)
    def wrapped(database: Any, answers: Any) -> Any:
        if answers.confirmed:
            act()
        return settle(database, answers)

    return wrapped


def _before_answering(handle: Callable[..., Any], act: Callable[[], None]) -> Callable[..., Any]:
    @wraps(handle)
    def wrapped(application: Any, raw: Any) -> Any:
        response = handle(application, raw)
        if raw.method != "GET" and response.status < 300:
            act()
        return response

    return wrapped


def install_armed(service: str) -> None:
    """Have this process end at whatever point is armed for its service."""
    points = CrashPoints(Path(os.environ[FOLDER]))
    install(lambda point: points.end_here(service, point), setattr)


def main(role: str, service: str) -> int:
    if role == "web":
        # Before anything else that imports psycopg: it patches, and chooses how psycopg waits.
        from services.chassis.hosting import host, web

        install_armed(service)
        return web.serve(host.service_named(service))
    from services.chassis.hosting import worker

    install_armed(service)
    return worker.main(service)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
