"""Row-level security, as the service's own role."""

from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.integration.matching.story import Story

PEOPLES_TABLES = (
    "peers",
    "needs",
    "former_peers",
    "matches",
    "shortlisted_peers",
    "offers",
    "offered_peers",
)


@pytest.fixture
def told(story: Story) -> Story:
    story.add_peer()
    story.add_peer()
    offered = story.offer(story.refer()).json
    story.choose(offered["id"])
    story.act("decline", offered["match_id"], story.peer(UUID(offered["peer_id"])))
    story.offer(story.refer())
    return story


def seen(story: Story, table: str, orgs: str) -> int:
    with psycopg.connect(story.scene.database.service) as connection:
        connection.execute("SELECT set_config('kindred.orgs', %s, true)", (orgs,))
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("table", PEOPLES_TABLES)
def test_the_services_role_sees_no_row_without_an_organisation(told: Story, table: str) -> None:
    assert seen(told, table, "") == 0


def test_a_peer_organisation_sees_offers_and_matches_but_no_needs(told: Story) -> None:
    orgs = "{" + str(told.peer_org) + "}"

    counts = {table: seen(told, table, orgs) for table in PEOPLES_TABLES}

    assert counts["peers"] == 2
    assert counts["matches"] == 1
    assert counts["offers"] == 2
    assert (counts["needs"], counts["former_peers"], counts["shortlisted_peers"]) == (0, 0, 0)


def test_a_clinic_sees_its_referrals_and_no_peer(told: Story) -> None:
    orgs = "{" + str(told.clinic_id) + "}"

    counts = {table: seen(told, table, orgs) for table in PEOPLES_TABLES}

    assert counts["needs"] == 2
    assert counts["matches"] == 2
    assert counts["peers"] == 0


def test_every_table_with_an_organisation_is_under_forced_row_security(story: Story) -> None:
    query = """
        SELECT relname FROM pg_class
         WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
           AND relrowsecurity AND relforcerowsecurity
    """
    forced = {row["relname"] for row in story.scene.rows(query)}

    assert forced >= set(PEOPLES_TABLES)
