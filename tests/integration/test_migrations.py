"""Migrations: named so that they sort and read, applied once, never edited afterwards."""

import re
from typing import Any

import psycopg
import pytest

from services.chassis import migrate
from tests.support import SERVICES

NAME = re.compile(r"[a-z]+/\d{4}_(create|add|drop|rename|allow|forbid|index|fill)_[a-z0-9_]+\.sql")


@pytest.mark.parametrize("service", SERVICES)
def test_every_migration_is_numbered_named_by_a_verb_and_says_what_for(service: str) -> None:
    found = migrate.migrations_of(service)

    assert found
    assert [name for name in found if not NAME.fullmatch(name)] == []
    assert [name for name, path in found.items() if not path.read_text().startswith("-- ")] == []
    own = [name.split("/")[1][:4] for name in found if name.startswith(service)]
    assert own == [f"{number:04d}" for number in range(1, len(own) + 1)]


def test_migrating_twice_applies_nothing_twice(database: Any) -> None:
    made = database("matching")

    assert migrate.migrate(made.owner, "matching") == []


def test_a_migration_that_was_edited_after_it_was_applied_stops_the_deploy(database: Any) -> None:
    made = database("matching")
    with psycopg.connect(made.owner) as connection:
        connection.execute("UPDATE migrations SET sha256 = 'another'")

    with pytest.raises(migrate.EditedMigration):
        migrate.migrate(made.owner, "matching")


@pytest.mark.parametrize("service", SERVICES)
def test_the_services_role_owns_nothing_and_passes_no_row_security(
    service: str, database: Any
) -> None:
    with psycopg.connect(database(service).service) as connection:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query).fetchone() == (False, False)
        query = "SELECT count(*) FROM pg_tables WHERE tableowner = current_user"
        assert connection.execute(query).fetchone() == (0,)


# Organisations and technical tables: identifiers, numbers and states, no people's data.
WITHOUT_ROW_SECURITY = {
    "deferred",
    "epochs",
    "inbox",
    "migrations",
    "organisations",
    "outbox",
    "outbox_sent",
    "peer_organisations",
    "policies",
    "positions",
    "relay_heartbeats",
    "streams",
    "wait_estimates",
    "waits",
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_peoples_data_forces_row_level_security(
    service: str, database: Any
) -> None:
    query = """
        SELECT relname FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
           AND NOT (relrowsecurity AND relforcerowsecurity)
    """
    with psycopg.connect(database(service).service) as connection:
        open_tables = {row[0] for row in connection.execute(query)}

    assert open_tables - WITHOUT_ROW_SECURITY == set()
