"""Starts one service in one role under nameko, and stops it on SIGTERM."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

import eventlet
import psycopg
from nameko.runners import ServiceRunner

from services.chassis.database import Database
from services.chassis.http.keys import WrongKey
from services.chassis.log import get_log
from services.chassis.refusals import (
    REFUSED,
    Refusal,
    require_migrations,
    require_own_secrets,
    say_refusal,
)
from services.chassis.service import Service
from services.chassis.settings import Settings, WrongSetting

log = get_log(__name__)


def service_named(name: str) -> type[Service]:
    """The class that `services/<name>/service.py` declares."""
    module = import_module(f"services.{name}.service")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Service)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise LookupError(f"services/{name}/service.py declares {len(found)} services")
    return found[0]


def read_settings() -> Settings:
    """The settings, or an end of the process with one clear line."""
    with refusing():
        settings = Settings.from_environment()
        require_own_secrets(settings)
        return settings


@contextmanager
def refusing() -> Iterator[None]:
    """End the process with one clear line, and a status that says: do not try again."""
    try:
        yield
    except (WrongSetting, WrongKey, Refusal) as error:
        say_refusal(error)
        raise SystemExit(REFUSED) from None


def check_migrations(database: Database, service: str) -> None:
    """Refuse a database that lacks migrations; one that is away is waited for elsewhere."""
    with refusing(), suppress(psycopg.OperationalError):
        require_migrations(database, service)


def host(name: str, role: str, entrypoints: dict[str, Any]) -> int:
    """Run entrypoints as one nameko service until SIGTERM or SIGINT; return the exit status."""
    asked_to_stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.append(1))
    runner = ServiceRunner({"max_workers": 100})
    runner.add_service(_nameko_service(f"{name}.{role}", entrypoints))
    runner.start()
    log.info("started")
    waiting = eventlet.spawn(runner.wait)
    # A signal handler may not touch eventlet, and the hub does not notice one by itself.
    while not asked_to_stop and not waiting.dead:
        eventlet.sleep(0.1)
    if waiting.dead:
        log.error("container_died")
        return 1
    runner.stop()
    log.info("stopped")
    return 0


def _nameko_service(name: str, entrypoints: dict[str, Any]) -> type:
    """nameko hosts methods that carry entrypoints; ours do their work in the entrypoint itself."""
    members: dict[str, Any] = {"name": name}
    for method_name, (entrypoint, arguments) in entrypoints.items():
        members[method_name] = entrypoint.decorator(*arguments)(_placeholder())
    return type("Hosted", (), members)


def _placeholder() -> Callable[[Any], None]:
    def method(_self: Any) -> None:
        """Carries an entrypoint."""

    return method
