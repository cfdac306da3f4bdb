"""Apply the chassis's and a service's plain SQL migrations, forward only, each once."""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

HERE = Path(__file__).parent


class EditedMigration(Exception):
    """A migration that was applied has changed since; write a new one instead."""


def migrations_of(service: str) -> dict[str, Path]:
    """Every migration of a service's database in order, by a name that tells its origin."""
    folders = {"chassis": HERE / "migrations", service: HERE.parent / service / "migrations"}
    return {
        f"{origin}/{path.name}": path
        for origin, folder in folders.items()
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    }


def migrate(dsn: str, service: str) -> list[str]:
    """Bring the service's database up to date, as its owner role; return what was applied.

    `dsn` is of a role that may act as `<service>_owner`. One transaction for all, under a
    lock, so that two deploys at once apply each migration once.
    """
    applied = []
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('kindred.migrate'))")
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{service}_owner")))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL)"
        )
        rows = connection.execute("SELECT name, sha256 FROM migrations").fetchall()
        known = {str(row[0]): str(row[1]) for row in rows}
        for name, path in migrations_of(service).items():
            text = path.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()
            if known.get(name, digest) != digest:
                raise EditedMigration(name)
            if name not in known:
                connection.execute(text.encode())
                connection.execute("INSERT INTO migrations VALUES (%s, %s, now())", (name, digest))
                applied.append(name)
        _grant(connection, service)
    return applied


def pending(connection: psycopg.Connection[dict[str, object]], service: str) -> list[str]:
    """The migrations this code knows and the database lacks."""
    rows = connection.execute("SELECT name FROM migrations").fetchall()
    known = {row["name"] for row in rows}
    return [name for name in migrations_of(service) if name not in known]


def _grant(connection: psycopg.Connection[tuple[object, ...]], service: str) -> None:
    role = sql.Identifier(service)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
        "REVOKE INSERT, UPDATE, DELETE ON migrations, epochs FROM {}",
    ):
        connection.execute(sql.SQL(statement).format(role))
