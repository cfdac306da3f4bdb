"""The demo region's crowd is the same at every build, and nobody in it stands for two."""

from collections import Counter
from datetime import date

from deploy.region import crowd
from services.chassis.places import locate


def test_there_are_as_many_clients_as_the_region_says_and_some_at_every_stage() -> None:
    assert len(crowd.stages()) == crowd.CLIENTS
    assert set(crowd.stages()) == set(crowd.Stage)


def test_nobody_is_taken_for_somebody_else() -> None:
    people = [crowd.client(number) for number in range(crowd.CLIENTS)]
    known_by = ("given_name", "family_name", "birth_date")
    counted = Counter(tuple(person[name] for name in known_by) for person in people)

    assert max(counted.values()) == 1
    assert len({person["record_number"] for person in people}) == crowd.CLIENTS
    assert len({crowd.more_peer(one)["email"] for one in range(crowd.MORE_PEERS)}) == 130


def test_everybody_lives_at_a_real_place() -> None:
    codes = {crowd.client(number)["postal_code"] for number in range(crowd.CLIENTS)}

    assert all(locate(code) for code in codes)


def test_whoever_was_there_before_came_before_today_and_not_long_ago() -> None:
    today = date(2026, 11, 26)
    days = {(today - crowd.first_day(number, today)).days for number in range(crowd.CLIENTS)}

    assert min(days) >= 40
    assert max(days) <= 730
    assert len(days) > 200
