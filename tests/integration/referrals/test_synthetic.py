"""The probe's referrals are forgotten after a day, and nobody else's."""

import psycopg
import pytest

from services.chassis.organisations import SYNTHETIC_CLINIC
from tests.integration.referrals.people import Desk
from tests.support import clinic

PROBE = clinic(SYNTHETIC_CLINIC)
TABLES = ("referrals", "steps", "consents")


def left(desk: Desk) -> dict[str, int]:
    return {table: len(desk.scene.rows(f"TABLE {table}")) for table in TABLES}


def test_synthetic_referrals_are_forgotten_with_all_that_belongs_to_them(desk: Desk) -> None:
    desk.register(SYNTHETIC_CLINIC)
    for _ in range(2):  # the same client twice: the second is linked to the first
        submitted = desk.submit(by=PROBE)
        desk.do("withdraw_referral", submitted["id"], PROBE)
    before = left(desk)
    desk.scene.run_timer("forget_synthetic")
    assert left(desk) == before

    desk.scene.pass_time(days=2)
    desk.scene.run_timer("forget_synthetic")

    assert left(desk) == dict.fromkeys(TABLES, 0)


def test_a_persons_referral_is_never_forgotten_with_them(desk: Desk) -> None:
    desk.submit()
    before = left(desk)

    desk.scene.pass_time(days=1000)
    desk.scene.run_timer("forget_synthetic")

    assert left(desk) == before


def test_a_persons_timeline_is_still_only_added_to(desk: Desk) -> None:
    desk.submit()

    with (
        psycopg.connect(desk.scene.database.owner) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="only added to"),
    ):
        connection.execute("DELETE FROM steps")
