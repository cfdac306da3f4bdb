"""Every open referral has somebody who looks after it, and a working day to do so by."""

from datetime import date
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.domain.ownership import Care, Urgency, add_working_days, care
from services.referrals.domain.progress import OPEN, MatchState, Status

CLINIC, ORGANISATION = UUID(int=1), UUID(int=2)
FRIDAY = date(2026, 11, 20)


def care_of(
    status: Status, match_state: MatchState | None = None, urgency: Urgency = Urgency.ROUTINE
) -> Care | None:
    return care(
        status=status,
        match_state=match_state,
        urgency=urgency,
        clinic_id=CLINIC,
        peer_organisation_id=ORGANISATION,
        today=FRIDAY,
    )


@pytest.mark.parametrize(
    ("status", "match_state", "urgency"), list(product(sorted(OPEN), [None, *MatchState], Urgency))
)
def test_no_open_referral_is_left_without_owner_and_later_date(
    status: Status, match_state: MatchState | None, urgency: Urgency
) -> None:
    found = care_of(status, match_state, urgency)

    assert found is not None
    assert found.next_date > FRIDAY


@pytest.mark.parametrize("status", sorted(set(Status) - OPEN))
def test_what_has_ended_needs_nobody(status: Status) -> None:
    assert care_of(status) is None


def test_an_urgent_referral_is_due_the_next_working_day() -> None:
    found = care_of(Status.SUBMITTED, urgency=Urgency.URGENT)

    assert found == Care(role="coordinator", organisation_id=CLINIC, next_date=date(2026, 11, 23))


def test_a_coordinator_sees_to_it_that_a_confirmed_match_gets_its_first_session() -> None:
    found = care_of(Status.ACCEPTED, MatchState.CONFIRMED)

    assert found is not None
    assert (found.role, found.organisation_id) == ("coordinator", CLINIC)


def test_the_peers_organisation_owns_what_the_peer_has_to_do() -> None:
    found = care_of(Status.ACCEPTED, MatchState.CHOSEN)

    assert found is not None
    assert (found.role, found.organisation_id) == ("peer", ORGANISATION)


def test_the_clinics_turn_stays_the_clinics_whatever_the_match_does() -> None:
    found = care_of(Status.INFORMATION_REQUESTED, MatchState.OFFERED)

    assert found is not None
    assert (found.role, found.organisation_id) == ("clinic", CLINIC)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_working_days_end_on_a_working_day_and_count_five_a_week(start: date, days: int) -> None:
    end = add_working_days(start, days)

    assert end.weekday() < 5
    assert days <= (end - start).days <= days + 2 * (days // 5 + 1)
