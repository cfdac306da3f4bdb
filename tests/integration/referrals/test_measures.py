"""The numbers that alerts are about: open, unowned, overdue, waiting; people only."""

import psycopg
from prometheus_client import REGISTRY

from services.chassis.organisations import SYNTHETIC_CLINIC
from tests.integration.referrals.people import Desk


def measured(desk: Desk, name: str, **labels: str) -> float | None:
    desk.scene.run_timer("measure")
    return REGISTRY.get_sample_value(f"kindred_{name}", labels)


def test_open_referrals_are_counted_by_status(desk: Desk) -> None:
    first = desk.submit()
    desk.submit()
    desk.do("accept_referral", first["id"])

    assert measured(desk, "referrals_open", status="submitted") == 1
    assert measured(desk, "referrals_open", status="accepted") == 1

    desk.do("withdraw_referral", first["id"])

    assert measured(desk, "referrals_open", status="accepted") == 0


def test_an_open_referral_without_an_owner_or_a_date_is_found(desk: Desk) -> None:
    desk.submit()
    assert measured(desk, "referrals_without_owner_or_date") == 0

    with psycopg.connect(desk.scene.database.owner) as connection:
        table = "ALTER TABLE referrals DROP CONSTRAINT referrals_open_have_owner_and_date"
        connection.execute(table)
        connection.execute("UPDATE referrals SET next_date = NULL")

    assert measured(desk, "referrals_without_owner_or_date") == 1


def test_a_referral_past_its_date_is_overdue_and_its_wait_grows(desk: Desk) -> None:
    desk.submit()
    assert measured(desk, "referrals_overdue") == 0

    desk.scene.pass_time(days=30)

    assert measured(desk, "referrals_overdue") == 1
    assert measured(desk, "unassigned_oldest_seconds") == 30 * 86400


def test_the_synthetic_clinic_is_not_counted(desk: Desk) -> None:
    desk.register(SYNTHETIC_CLINIC)
    desk.submit()
    desk.scene.rows("UPDATE referrals SET clinic_id = %s RETURNING id", (SYNTHETIC_CLINIC,))
    desk.scene.pass_time(days=30)

    assert measured(desk, "referrals_open", status="submitted") == 0
    assert measured(desk, "referrals_overdue") == 0
    assert measured(desk, "unassigned_oldest_seconds") == 0
