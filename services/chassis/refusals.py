"""What must not start, or not go on: each refusal is one line for whoever runs the system.

A server that is away is no reason: it is waited for. What time does not mend is.
"""

import sys
from collections.abc import Iterable
from urllib.parse import urlsplit

import amqp
import psycopg
from psycopg.conninfo import conninfo_to_dict

from services.chassis import migrate
from services.chassis.broker import open_connection
from services.chassis.database import Database
from services.chassis.http.keys import ISSUER, PublicKeys
from services.chassis.settings import Settings

# Passwords that servers, images and examples come with.
_KNOWN_PASSWORDS = frozenset(
    {
        "admin",
        "changeme",
        "default",
        "example",
        "guest",
        "kindred",
        "pass",
        "password",
        "postgres",
        "rabbitmq",
        "root",
        "secret",
        "test",
    }
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LEAST_VARIETY = 8  # different characters; a random key of 32 has about twice as many


REFUSED = 2  # whoever keeps the process knows that it makes no sense to start it again at once


class Refusal(Exception):
    """Its text is the line."""


def say_refusal(error: Exception | None) -> None:
    print(error, file=sys.stderr, flush=True)  # noqa: T201  the last line, and no log's


def require_own_secrets(settings: Settings) -> None:
    """Refuse secrets that somebody else may know; the demo's are for this machine only."""
    problems = list(_demo_abroad(settings) if settings.demo else _borrowed(settings))
    if problems:
        raise Refusal("Wrong secrets: " + "; ".join(problems))


def require_migrations(database: Database, service: str) -> None:
    try:
        with database.transaction() as connection:
            lacking = migrate.pending(connection, service)
    except psycopg.errors.UndefinedTable:
        raise Refusal(f"The database of {service} has no tables: apply the migrations") from None
    if lacking:
        raise Refusal(f"The database of {service} lacks {len(lacking)} migrations: apply them")


def require_topology(settings: Settings, service: str, queues: Iterable[str]) -> None:
    """Refuse a broker that cannot confirm, or lacks what we write to and read from.

    Of what kind a queue is, only its declaration by the deploy step can tell.
    """
    with open_connection(settings.broker, f"{service}.start") as connection:
        properties = connection.connection.server_properties
        if not properties.get("capabilities", {}).get("publisher_confirms"):
            raise Refusal("The broker does not confirm what is published")
        channel = connection.channel()
        try:
            channel.exchange_declare(f"{service}.events", "topic", passive=True)
            for queue in queues:
                channel.queue_declare(queue, passive=True)
        except amqp.NotFound as error:
            raise Refusal(f"The broker lacks topology: {error.reply_text}") from None


def _demo_abroad(settings: Settings) -> Iterable[str]:
    if (urlsplit(settings.public_url).hostname or "") not in _LOOPBACK:
        yield "KINDRED_DEMO is on, and KINDRED_PUBLIC_URL is not a loopback address"


def _borrowed(settings: Settings) -> Iterable[str]:
    if PublicKeys(settings.token_keys).find(ISSUER) is not None:
        yield "KINDRED_TOKEN_KEYS holds the demo's issuer"
    database = conninfo_to_dict(settings.database)
    if _is_known(database.get("password"), str(database.get("user"))):
        yield "KINDRED_DATABASE has a password that everybody knows"
    for url in map(urlsplit, settings.broker.split(";")):
        # Without a user in its address, kombu takes the guest.
        if (url.username or "guest") == "guest" or _is_known(url.password, str(url.username)):
            yield "KINDRED_BROKER has a password that everybody knows"
    if len(set(settings.link_key)) < _LEAST_VARIETY or "link key" in settings.link_key:
        yield "KINDRED_LINK_KEY is not a random one"


def _is_known(password: object, user: str) -> bool:
    return password is not None and str(password).casefold() in _KNOWN_PASSWORDS | {user, ""}
