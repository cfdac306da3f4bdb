"""Which step follows from where, checked over every pair."""

from itertools import product

import pytest

from services.referrals.domain.progress import (
    CONSENTED,
    MOVES,
    OPEN,
    Action,
    ConsentMissing,
    MatchState,
    NotPossibleNow,
    PlanState,
    ReferralEnded,
    Status,
    match_end,
    move,
    plan_state,
)

ENDED = set(Status) - OPEN


@pytest.mark.parametrize(
    ("action", "status"),
    [one for one in product(Action, sorted(ENDED)) if one != (Action.REOPEN, Status.DECLINED)],
)
def test_nothing_leads_out_of_an_end_but_taking_a_decline_back(
    action: Action, status: Status
) -> None:
    with pytest.raises(ReferralEnded):
        move(action, status=status, accepted=True)


@pytest.mark.parametrize("status", sorted(OPEN))
def test_withdrawal_is_possible_from_everywhere_open(status: Status) -> None:
    assert move(Action.WITHDRAW, status=status, accepted=False) is Status.WITHDRAWN


@pytest.mark.parametrize("action", [Action.ACCEPT, Action.REQUEST_INFORMATION])
def test_without_consent_only_consent_withdrawal_and_decline_are_possible(action: Action) -> None:
    with pytest.raises(ConsentMissing):
        move(action, status=Status.AWAITING_CONSENT, accepted=False)


def test_an_accepted_referral_cannot_be_declined_any_more() -> None:
    with pytest.raises(NotPossibleNow):
        move(Action.DECLINE, status=Status.ACCEPTED, accepted=True)


@pytest.mark.parametrize("action", [Action.GIVE_CONSENT, Action.PROVIDE_INFORMATION])
@pytest.mark.parametrize(
    ("accepted", "back_to"), [(False, Status.SUBMITTED), (True, Status.ACCEPTED)]
)
def test_what_was_interrupted_goes_back_to_where_it_stood(
    action: Action, accepted: bool, back_to: Status
) -> None:
    (source,) = MOVES[action].sources

    assert move(action, status=source, accepted=accepted) is back_to


@pytest.mark.parametrize("status", sorted(CONSENTED))
def test_consent_can_end_from_everywhere_it_was_needed(status: Status) -> None:
    assert move(Action.END_CONSENT, status=status, accepted=True) is Status.AWAITING_CONSENT


def test_an_unknown_end_reason_ends_the_match_and_nothing_else() -> None:
    end = match_end("something-new")

    assert (end.action, end.state, end.excludes_the_peer) == (None, MatchState.ENDED, False)


@pytest.mark.parametrize(
    ("status", "match_state", "line"),
    [
        (Status.SUBMITTED, MatchState.SHORTLISTED, PlanState.REQUESTED),
        (Status.ACCEPTED, None, PlanState.WAITING),
        (Status.ACCEPTED, MatchState.CHOSEN, PlanState.WAITING),
        (Status.ACCEPTED, MatchState.WAITING_AGAIN, PlanState.WAITING),
        (Status.ACCEPTED, MatchState.CONFIRMED, PlanState.MATCHED),
        (Status.ACCEPTED, MatchState.ACTIVE, PlanState.IN_PROGRESS),
        (Status.INFORMATION_REQUESTED, MatchState.CONFIRMED, PlanState.MATCHED),
        (Status.AWAITING_CONSENT, MatchState.ACTIVE, PlanState.STOPPED),
        (Status.WITHDRAWN, MatchState.ACTIVE, PlanState.STOPPED),
        (Status.COMPLETED, MatchState.ENDED, PlanState.COMPLETED),
    ],
)
def test_the_plans_line_says_where_things_stand(
    status: Status, match_state: MatchState | None, line: PlanState
) -> None:
    assert plan_state(status, match_state, was_submitted=True) is line


def test_a_referral_that_never_had_consent_is_requested_and_not_stopped() -> None:
    line = plan_state(Status.AWAITING_CONSENT, None, was_submitted=False)

    assert line is PlanState.REQUESTED
