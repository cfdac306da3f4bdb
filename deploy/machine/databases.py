"""One database per service, with an owner that nobody logs in as and a role for the service."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql

from deploy.machine.run_folder import CannotStart
from services.chassis.migrate import EditedMigration, migrate

_EXTENSIONS = ("btree_gist",)  # exclusion constraints on who and when together


def prepare_databases(
    services: Sequence[str], admin_dsn: Callable[[str], str], password: Callable[[str], str]
) -> None:
    """Make what is missing and bring every schema up to date.

    `admin_dsn` gives the superuser's address of a database, `password` a service's own.
    """
    with psycopg.connect(admin_dsn("postgres"), autocommit=True) as connection:
        for service in services:
            _make_roles(connection, service, password(service))
            make_database(connection, service, service)
    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(lambda service: bring_up_to_date(admin_dsn(service), service), services))


def _make_roles(connection: psycopg.Connection, service: str, password: str) -> None:
    for role, kind in ((f"{service}_owner", "NOLOGIN"), (service, "LOGIN")):
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        if found is None:
            make = sql.SQL("CREATE ROLE {} " + kind)
            connection.execute(make.format(sql.Identifier(role)))
    settings = sql.SQL("ALTER ROLE {} PASSWORD {}")
    connection.execute(settings.format(sql.Identifier(service), sql.Literal(password)))


def make_database(connection: psycopg.Connection, name: str, service: str) -> None:
    """Make a database of the service's, unless it is there."""
    query = "SELECT FROM pg_database WHERE datname = %s"
    if connection.execute(query, (name,)).fetchone() is None:
        database, owner = sql.Identifier(name), sql.Identifier(f"{service}_owner")
        make = sql.SQL("CREATE DATABASE {} OWNER {} STRATEGY file_copy")
        connection.execute(make.format(database, owner))
        # By default everybody may connect to every database.
        close = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC")
        connection.execute(close.format(database))
        allow = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
        connection.execute(allow.format(database, sql.Identifier(service)))


def bring_up_to_date(dsn: str, service: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for extension in _EXTENSIONS:
            make = sql.SQL("CREATE EXTENSION IF NOT EXISTS {}")
            connection.execute(make.format(sql.Identifier(extension)))
    try:
        migrate(dsn, service)
    except EditedMigration as error:
        raise CannotStart(
            f"Migration {error} of {service} was changed after it had been applied; "
            "undo the change, or remove the data by make clean."
        ) from error
