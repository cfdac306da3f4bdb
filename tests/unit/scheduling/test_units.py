from datetime import UTC, date, datetime

import pytest

from services.scheduling.domain.contacts import Form
from services.scheduling.domain.units import UNITS, Every, Spent, UnitRule, periods

ZONE = "America/Chicago"


@pytest.mark.parametrize(
    ("minutes", "units"), [(1, 0), (7, 0), (8, 1), (15, 1), (22, 1), (23, 2), (60, 4), (67, 4)]
)
def test_a_rest_of_eight_minutes_or_more_counts_as_a_unit(minutes: int, units: int) -> None:
    assert UNITS.units(minutes) == units


def test_a_network_can_count_full_units_only_or_begun_ones() -> None:
    assert [UnitRule(15, 15).units(minutes) for minutes in (14, 29, 30)] == [0, 1, 2]
    assert [UnitRule(15, 1).units(minutes) for minutes in (1, 15, 16)] == [1, 1, 2]


def spent(moment: str, minutes: int = 50, form: Form = Form.PERSON) -> Spent:
    return Spent(datetime.fromisoformat(moment).replace(tzinfo=UTC), minutes, form, ZONE)


def test_each_contact_is_rounded_by_itself_and_groups_are_summed_apart() -> None:
    log = [
        spent("2027-01-04T15:00:00", 10),
        spent("2027-01-06T15:00:00", 10),
        spent("2027-01-06T20:00:00", 90, Form.GROUP),
    ]
    [week] = periods(log, Every.WEEK, UNITS)

    assert (week.first_day, week.last_day) == (date(2027, 1, 4), date(2027, 1, 10))
    assert (week.person.contacts, week.person.minutes, week.person.units) == (2, 20, 2)
    assert (week.group.contacts, week.group.minutes, week.group.units) == (1, 90, 6)


def test_a_contact_belongs_to_the_week_and_month_of_the_peers_own_clock() -> None:
    # Monday in UTC, still Sunday evening in Chicago; and the last evening of January.
    log = [spent("2027-01-11T02:00:00"), spent("2027-02-01T02:00:00")]

    weeks = [period.first_day for period in periods(log, Every.WEEK, UNITS)]
    months = [(one.first_day, one.last_day) for one in periods(log, Every.MONTH, UNITS)]
    assert weeks == [date(2027, 1, 25), date(2027, 1, 4)]
    assert months == [(date(2027, 1, 1), date(2027, 1, 31))]
