"""The second wall: as the service's own role, rows are seen only by organisation."""

import psycopg
import pytest

from tests.acceptance.clients import Place, confirm
from tests.acceptance.running import SERVICES, Running

# Without people's data: organisations, the plumbing of events (identifiers only), versions, signed
# policies, and how long people waited (days and languages, of nobody in particular).
OPEN_TABLES = {
    "organisations",
    "peer_organisations",
    "policies",
    "wait_estimates",
    "waits",
    "epochs",
    "inbox",
    "positions",
    "deferred",
    "streams",
    "outbox",
    "outbox_sent",
    "migrations",
    "relay_heartbeats",
}
KNOWN_BY_SECRET_ONLY = {"links"}


def tables(system: Running, service: str) -> dict[str, dict[str, bool]]:
    query = """
        SELECT relname, relrowsecurity AND relforcerowsecurity AS is_walled,
               relowner = %s::regrole AS is_own
          FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    """
    return {row["relname"]: row for row in system.rows(service, query, service)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_with_peoples_data_has_a_wall_and_is_not_the_services_own(
    system: Running, service: str
) -> None:
    found = tables(system, service)

    open_tables = {name for name, row in found.items() if not row["is_walled"]}
    assert open_tables <= OPEN_TABLES | KNOWN_BY_SECRET_ONLY
    assert [name for name, row in found.items() if row["is_own"]] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_role_is_nothing_special(system: Running, service: str) -> None:
    query = """
        SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication
          FROM pg_roles
         WHERE rolname = %s
    """
    assert set(system.rows(service, query, service)[0].values()) == {False}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_not_open_another_services_database(system: Running, service: str) -> None:
    other = next(name for name in SERVICES if name != service)
    address = f"127.0.0.1:{system.port('postgres', 'postgresql')}"
    secret = system.secret(f"service {service}")

    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"postgresql://{service}:{secret}@{address}/{other}")


@pytest.fixture(scope="module")
def rows_of_a_story(system: Running, new_place: object) -> Place:
    place: Place = new_place()  # type: ignore[operator]
    story = place.story()
    matched = confirm(place, story, place.add_peer())
    session = story.book(matched.match_id, story.times(matched.match_id)[0]["starts_at"])
    about = {"kind": "session-booked", "session_id": session["id"]}
    story.wait_for_message(matched.referral_id, "delivered", to="clinic", **about)
    return place


@pytest.mark.parametrize("service", SERVICES)
def test_without_an_organisation_the_service_sees_no_row_and_with_a_strangers_neither(
    system: Running, rows_of_a_story: Place, service: str
) -> None:
    walled = [name for name, row in tables(system, service).items() if row["is_walled"]]
    stranger = "{00000000-0000-4000-8000-000000000000}"
    assert walled

    with system.database(service, as_itself=True) as connection:
        for orgs in ("", "{}", stranger):
            connection.execute("SELECT set_config('kindred.orgs', %s, false)", (orgs,))
            for name in walled:
                query = f"SELECT count(*) AS seen FROM {name}"  # noqa: S608  names of tables
                assert (name, connection.execute(query.encode()).fetchone()) == (name, {"seen": 0})


@pytest.mark.parametrize("service", SERVICES)
def test_acting_for_an_organisation_the_service_sees_its_rows_and_no_others(
    system: Running, rows_of_a_story: Place, service: str
) -> None:
    table, column = {
        "referrals": ("referrals", "clinic_id"),
        "matching": ("matches", "clinic_id"),
        "scheduling": ("sessions", "clinic_id"),
        "notifications": ("messages", "clinic_id"),
    }[service]
    clinic_id = rows_of_a_story.clinic_id

    with system.database(service, as_itself=True) as connection:
        connection.execute("SELECT set_config('kindred.orgs', %s, false)", (f"{{{clinic_id}}}",))
        query = f"SELECT DISTINCT {column}::text AS whose FROM {table}"  # noqa: S608  our names
        assert connection.execute(query.encode()).fetchall() == [{"whose": clinic_id}]


def test_a_service_cannot_write_a_row_of_an_organisation_it_does_not_act_for(
    system: Running, rows_of_a_story: Place
) -> None:
    with system.database("referrals", as_itself=True) as connection:
        connection.execute("SELECT set_config('kindred.orgs', '{}', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                """
                INSERT INTO clinics (id, name, time_zone, language, auto_accept)
                VALUES (gen_random_uuid(), 'Nobody', 'America/Chicago', 'en', false)
                """
            )
