"""Who is the same person, who is a child, and what leads to them safely."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.domain import person
from services.referrals.domain.person import Earlier, Gap, Identity, identity

TODAY = date(2026, 11, 23)
AMY: dict[str, Any] = {
    "given_name": "Amy V.",
    "family_name": "Baxter",
    "birth_date": "1987-02-20",
    "preferred_channel": "email",
    "email": "amy@example.com",
    "safe_contact": {"times": [], "shared_phone": False, "do_not_contact": False},
}


def who(**facts: Any) -> Identity:
    return identity({**AMY, **facts})


@pytest.mark.parametrize("typed", ["AMY V.", "amy v", "Ámy  V", "Amy-V."])
def test_a_name_is_the_same_however_it_is_typed(typed: str) -> None:
    assert who(given_name=typed).is_same_person(who())


def test_names_in_other_scripts_are_told_apart() -> None:
    assert not who(given_name="李", family_name="娜").is_same_person(
        who(given_name="王", family_name="芳")
    )


def test_an_age_band_and_a_name_alone_make_nobody_the_same() -> None:
    vague = {"birth_date": None, "age_band": "25-34", "email": None}

    assert not who(**vague).is_same_person(who(**vague))


def test_an_age_band_with_a_shared_contact_does() -> None:
    assert who(birth_date=None, age_band="35-44").is_same_person(who())


def test_a_shared_phone_counts_only_if_it_can_be_called() -> None:
    unreachable = {"birth_date": None, "email": None, "phone": "555-555-5555"}
    reachable = {**unreachable, "phone": "(918) 555-0123"}

    assert not who(**unreachable).is_same_person(who(**unreachable))
    assert who(**reachable).is_same_person(who(**{**reachable, "phone": "+1 918 555 0123"}))


def test_of_several_the_one_with_the_same_contact_is_meant() -> None:
    newest = Earlier(UUID(int=1), UUID(int=11), who(email="other@example.com"))
    sharing = Earlier(UUID(int=2), UUID(int=12), who())

    assert person.same_person(who(), [newest, sharing]) == sharing


facts = st.fixed_dictionaries(
    {
        "given_name": st.sampled_from(["Amy", "Bo"]),
        "record_number": st.sampled_from([None, "1", "2"]),
        "birth_date": st.sampled_from([None, "1987-02-20", "1990-01-01"]),
        "email": st.sampled_from([None, "a@example.com", "b@example.com"]),
    }
)


@given(facts, facts)
def test_being_the_same_person_is_mutual(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert who(**one).is_same_person(who(**other)) == who(**other).is_same_person(who(**one))


@pytest.mark.parametrize(
    ("client", "minor"),
    [
        ({"birth_date": "2008-11-24"}, True),
        ({"birth_date": "2008-11-23"}, False),
        ({"birth_date": "2008-02-29"}, False),
        ({"age_band": "13-17"}, True),
        ({"age_band": "under-18"}, True),
        ({"age_band": "16-20"}, True),
        ({"age_band": "18-24"}, False),
        ({"age_band": "65+"}, False),
    ],
)
def test_whoever_may_be_under_age_counts_as_a_minor(client: dict[str, Any], minor: bool) -> None:
    assert person.is_minor(client, TODAY) is minor


@pytest.mark.parametrize("band", ["24-18", "old", "18-", "18-999", "-3", "under-0"])
def test_what_is_no_age_band_is_refused(band: str) -> None:
    assert person.age_bounds(band) is None


@pytest.mark.parametrize("number", ["555-555-5555", "not a number", "12", "", None])
def test_a_number_nobody_can_call_is_no_number(number: str | None) -> None:
    assert person.reachable_phone(number) is None


def gaps(
    representative: dict[str, Any] | None = None, *, minor: bool = False, **client: Any
) -> set[str]:
    return person.contact_gaps({**AMY, **client}, representative, minor=minor)


def test_what_stands_between_us_and_a_person_is_named() -> None:
    assert gaps() == set()
    assert gaps(email=None) == {Gap.CONTACT_MISSING}
    assert gaps(preferred_channel="sms") == {Gap.CONTACT_MISSING}
    assert gaps(phone="555-555-5555") == {Gap.UNREACHABLE_PHONE}
    assert gaps(phone="555-555-5555", preferred_channel="phone") == {Gap.UNREACHABLE_PHONE}
    assert gaps(email=None, preferred_channel="reception") == set()


def test_a_child_is_reached_through_a_representative_or_nobody() -> None:
    parent = {"name": "Pat", "phone": "918-555-0123", "email": None}

    assert gaps(minor=True) == {Gap.REPRESENTATIVE_MISSING}
    assert gaps(parent, minor=True) == set()
    through = person.reach(AMY, parent, minor=True)
    assert (through.phone, through.email) == ("+19185550123", None)
    assert (through.preferred_channel, through.through_representative) == ("phone", True)
    alone = person.reach(AMY, None, minor=True)
    assert (alone.email, alone.phone, alone.preferred_channel) == (None, None, "reception")


@pytest.mark.parametrize(
    ("changed", "differ"), [("languages", True), ("postal_code", True), ("email", False)]
)
def test_only_facts_that_are_ranked_by_count_as_changed_needs(changed: str, differ: bool) -> None:
    assert person.needs_differ(AMY, {**AMY, changed: ["en"]}) is differ
