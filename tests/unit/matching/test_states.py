"""The steps of a match, and that none skips assent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.states import LEADS_TO, OWNERS, NotNow, State, Step, after

WAY = [Step.SHORTLIST, Step.OFFER, Step.CHOOSE, Step.ACCEPT, Step.ACTIVATE]


def test_the_way_leads_through_the_clients_choice_and_the_peers_yes() -> None:
    state = State.WAITING
    passed = [state := after(state, step) for step in WAY]

    assert passed == [
        State.SHORTLISTED,
        State.OFFERED,
        State.CHOSEN,
        State.CONFIRMED,
        State.ACTIVE,
    ]


@given(steps=st.lists(st.sampled_from(list(Step)), max_size=30))
def test_no_sequence_of_steps_confirms_without_both_assents(steps: list[Step]) -> None:
    state, taken = State.WAITING, []
    for step in steps:
        try:
            state = after(state, step)
        except NotNow:
            continue
        taken.append(step)

    if state in (State.CONFIRMED, State.ACTIVE):
        assents = [step for step in taken if step in (Step.OFFER, Step.CHOOSE, Step.ACCEPT)]
        assert assents[-3:] == [Step.OFFER, Step.CHOOSE, Step.ACCEPT]


@pytest.mark.parametrize("state", [state for state in State if state is not State.ENDED])
def test_it_can_end_at_any_moment(state: State) -> None:
    assert after(state, Step.END) == State.ENDED


@pytest.mark.parametrize("step", list(Step))
def test_nothing_follows_the_end(step: Step) -> None:
    with pytest.raises(NotNow):
        after(State.ENDED, step)


def test_every_state_but_the_end_has_an_owner() -> None:
    assert {state for state, owner in OWNERS.items() if owner is None} == {State.ENDED}


def test_every_state_is_reached() -> None:
    assert {to for _, to in LEADS_TO.values()} == set(State)
