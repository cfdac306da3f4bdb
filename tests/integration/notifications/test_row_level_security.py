from uuid import uuid4

import psycopg
import pytest

from tests.integration.notifications.post import Region

TABLES = ("messages", "people")


def seen(region: Region, table: str, *orgs: object) -> int:
    with region.scene.work(*orgs) as work:  # type: ignore[arg-type]
        query = f"SELECT count(*) AS number FROM {table}"  # noqa: S608
        row = work.connection.execute(query.encode()).fetchone()
        assert row
        return int(row["number"])


@pytest.mark.parametrize("table", TABLES)
def test_the_services_own_role_sees_only_rows_of_organisations_it_acts_for(
    region: Region, table: str
) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    assert seen(region, table) == 0
    assert seen(region, table, uuid4()) == 0
    assert seen(region, table, region.clinic_id) > 0
    assert seen(region, table, region.peer_organisation_id) > 0


def test_nothing_can_be_written_for_an_organisation_that_nobody_acts_for(region: Region) -> None:
    region.session_step("booked", hours_ahead=72, revision=0)

    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        region.scene.work(region.clinic_id) as work,
    ):
        work.connection.execute(
            "INSERT INTO people (id, role, organisation_id) VALUES (%s, 'client', %s)",
            (uuid4(), uuid4()),
        )
