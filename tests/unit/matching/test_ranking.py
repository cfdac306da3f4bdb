"""Hard rules, points, reasons, and what holds for any peers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import (
    POINTS,
    Mode,
    Need,
    Opening,
    Peer,
    Policy,
    Ranking,
    Rule,
)

TODAY = date(2026, 11, 23)
MOUNDS = (35.89, -96.09)
TULSA = (36.15, -95.99)
NEW_YORK = (40.75, -73.99)
ALL_MODES = (Mode.IN_PERSON, Mode.VIDEO, Mode.PHONE)
POLICY = Policy()
ALL = Policy(shortlist_length=100)

NEED = Need(
    on=TODAY,
    languages=("en",),
    modes=ALL_MODES,
    location=MOUNDS,
    topics=frozenset({"grief", "work", "sleep"}),
)
PEER = Peer(
    id=UUID(int=1),
    organisation_id=UUID(int=900),
    languages=("en",),
    modes=ALL_MODES,
    location=MOUNDS,
    area="Okmulgee County",
    topics=frozenset({"grief", "work"}),
    access=frozenset(),
    gender="woman",
    age_band="41-60",
    certified_until=TODAY,
    cleared_for_minors=False,
    is_active=True,
    capacity=2,
    places_taken=0,
)


def rank(need: Need, peers: Iterable[Peer], policy: Policy) -> Ranking:
    index = PeerIndex()
    index.put(peers)
    return index.rank(need, policy)


def ruled_out(need: Need, peer: Peer) -> Rule | None:
    outcome = rank(need, [peer], POLICY)
    assert sum(outcome.ruled_out.values()) + outcome.suitable == 1
    return next(map(Rule, outcome.ruled_out), None)


def points(need: Need, peer: Peer) -> int:
    return rank(need, [peer], POLICY).candidates[0].points


def order(outcome: Ranking) -> list[UUID]:
    return [candidate.peer_id for candidate in outcome.candidates]


@pytest.mark.parametrize(
    ("need", "peer", "rule"),
    [
        (NEED, replace(PEER, languages=("es",)), Rule.LANGUAGE),
        (replace(NEED, modes=(Mode.VIDEO,)), replace(PEER, modes=(Mode.PHONE,)), Rule.MODE),
        (
            replace(NEED, modes=(Mode.IN_PERSON,)),
            replace(PEER, location=NEW_YORK),
            Rule.PLACE,
        ),
        (NEED, replace(PEER, certified_until=date(2026, 11, 22)), Rule.CERTIFICATE),
        (replace(NEED, is_minor=True), PEER, Rule.MINORS),
        (NEED, replace(PEER, places_taken=2), Rule.CAPACITY),
        (NEED, replace(PEER, capacity=0), Rule.CAPACITY),
        (NEED, replace(PEER, is_active=False), Rule.PAUSED),
        (replace(NEED, excluded_peer_ids=frozenset({PEER.id})), PEER, Rule.EXCLUDED),
        (replace(NEED, former_peer_ids=frozenset({PEER.id})), PEER, Rule.EXCLUDED),
        (replace(NEED, organisation_ids=frozenset({UUID(int=7)})), PEER, Rule.CONSENT),
    ],
)
def test_each_hard_rule_rules_a_peer_out(need: Need, peer: Peer, rule: Rule) -> None:
    assert ruled_out(NEED, PEER) is None
    assert ruled_out(need, peer) == rule


def test_regional_forms_of_a_language_understand_each_other() -> None:
    assert ruled_out(replace(NEED, languages=("ES-mx",)), replace(PEER, languages=("es",))) is None


def test_a_certificate_is_valid_on_its_last_day() -> None:
    assert ruled_out(NEED, replace(PEER, certified_until=TODAY)) is None


def test_far_away_leaves_the_modes_that_need_no_place() -> None:
    outcome = rank(NEED, [replace(PEER, location=NEW_YORK)], POLICY)

    assert outcome.candidates[0].modes == (Mode.VIDEO, Mode.PHONE)


def test_without_an_address_the_area_of_the_peers_organisation_decides() -> None:
    need = replace(NEED, location=None, modes=(Mode.IN_PERSON,))

    assert ruled_out(replace(need, area=" okmulgee county "), PEER) is None
    assert ruled_out(replace(need, area="Elsewhere"), PEER) == Rule.PLACE
    assert ruled_out(need, PEER) == Rule.PLACE


def test_the_modes_come_in_the_clients_order() -> None:
    need = replace(NEED, modes=(Mode.PHONE, Mode.IN_PERSON))

    assert rank(need, [PEER], POLICY).candidates[0].modes == (Mode.PHONE, Mode.IN_PERSON)


def test_equal_peers_come_in_the_order_of_their_ids() -> None:
    peers = [replace(PEER, id=UUID(int=number)) for number in (9, 2, 5)]

    assert order(rank(NEED, peers, POLICY)) == [UUID(int=2), UUID(int=5), UUID(int=9)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (PEER, replace(PEER, topics=frozenset({"grief"}))),
        (PEER, replace(PEER, location=TULSA)),
        (PEER, replace(PEER, modes=(Mode.IN_PERSON,))),
        (PEER, replace(PEER, places_taken=1)),
    ],
)
def test_more_in_common_nearer_and_less_loaded_is_worth_more(better: Peer, worse: Peer) -> None:
    assert points(NEED, better) > points(NEED, worse)


def test_wishes_about_the_peer_count_and_rule_nobody_out() -> None:
    need = replace(NEED, peer_genders=frozenset({"woman"}), access_needs=frozenset({"step-free"}))
    other = replace(PEER, gender=None, access=frozenset({"step-free"}))

    assert ruled_out(need, other) is None
    assert points(need, replace(other, gender="woman")) > points(need, other)
    assert points(need, other) > points(need, replace(other, access=frozenset()))


def test_a_peer_who_meets_everything_has_all_points() -> None:
    peer = replace(PEER, topics=NEED.topics)

    assert points(NEED, peer) == POINTS


def test_reasons_count_topics_and_never_name_them() -> None:
    candidate = rank(NEED, [PEER], POLICY).candidates[0]

    shared = next(one for one in candidate.reasons_for if one.code == "topics-shared")
    assert shared.counts == {"met": 2, "of": 3}
    assert not any(topic in str(candidate) for topic in NEED.topics)


def test_weights_that_do_not_sum_up_are_no_policy() -> None:
    with pytest.raises(ValueError, match="do not sum"):
        Policy(weights={**POLICY.weights, "topics": 1})


def test_what_would_open_more_is_counted_for_each_thing_by_itself() -> None:
    need = replace(
        NEED, modes=(Mode.IN_PERSON,), organisation_ids=frozenset({PEER.organisation_id})
    )
    by_video = replace(PEER, id=UUID(int=2), modes=(Mode.VIDEO,))
    elsewhere = replace(PEER, id=UUID(int=3), location=NEW_YORK)
    of_another = replace(PEER, id=UUID(int=4), organisation_id=UUID(int=901))
    full_and_by_phone = replace(PEER, id=UUID(int=5), modes=(Mode.PHONE,), places_taken=2)

    outcome = rank(need, [PEER, by_video, elsewhere, of_another, full_and_by_phone], POLICY)

    assert outcome.suitable == 1
    assert outcome.openings == {
        Opening.VIDEO: 2,
        Opening.PHONE: 1,
        Opening.FURTHER_AWAY: 1,
        Opening.ANOTHER_ORGANISATION: 1,
    }


AREAS = {900: None, 901: "tulsa ", 902: "Elsewhere"}
places = st.sampled_from([MOUNDS, TULSA, NEW_YORK, None])
codes = st.frozensets(st.sampled_from(["a", "b", "c", "d"]))
some_modes = st.lists(st.sampled_from(ALL_MODES), min_size=1, unique=True).map(tuple)
some_languages = st.lists(st.sampled_from(["en", "es", "es-MX"]), min_size=1).map(tuple)
ids = st.builds(UUID, int=st.integers(1, 30))
needs = st.builds(
    Need,
    on=st.just(TODAY),
    languages=some_languages,
    modes=some_modes,
    location=places,
    area=st.sampled_from([None, "Tulsa"]),
    is_minor=st.booleans(),
    topics=codes,
    access_needs=codes,
    peer_genders=codes,
    peer_age_bands=codes,
    organisation_ids=st.sampled_from([None, frozenset({UUID(int=900), UUID(int=901)})]),
    excluded_peer_ids=st.frozensets(ids, max_size=4),
    former_peer_ids=st.frozensets(ids, max_size=4),
)
peers = st.sampled_from(sorted(AREAS)).flatmap(
    lambda organisation: st.builds(
        Peer,
        id=ids,
        organisation_id=st.just(UUID(int=organisation)),
        languages=some_languages,
        modes=some_modes,
        location=places,
        area=st.just(AREAS[organisation]),
        topics=codes,
        access=codes,
        gender=st.sampled_from([None, "a", "b"]),
        age_band=st.sampled_from([None, "a", "b"]),
        certified_until=st.sampled_from([TODAY, TODAY, TODAY, date(2020, 1, 1)]),
        cleared_for_minors=st.booleans(),
        is_active=st.sampled_from([True, True, True, False]),
        capacity=st.integers(0, 5),
        places_taken=st.integers(0, 3),
    )
)
several_peers = st.lists(peers, unique_by=lambda peer: peer.id, max_size=12)


@given(need=needs, several=several_peers, shuffle=st.randoms())
def test_the_order_of_the_input_does_not_matter(
    need: Need, several: list[Peer], shuffle: Random
) -> None:
    shuffled = list(several)
    shuffle.shuffle(shuffled)

    assert rank(need, shuffled, ALL) == rank(need, several, ALL)


@given(need=needs, several=several_peers)
def test_everybody_is_either_a_candidate_or_ruled_out_by_one_rule(
    need: Need, several: list[Peer]
) -> None:
    outcome = rank(need, several, ALL)

    assert outcome.suitable + sum(outcome.ruled_out.values()) == len(several)


@given(need=needs, several=several_peers)
def test_points_are_whole_and_within_bounds_and_fall(need: Need, several: list[Peer]) -> None:
    got = [candidate.points for candidate in rank(need, several, ALL).candidates]

    assert got == sorted(got, reverse=True)
    assert all(type(one) is int and 0 <= one <= POINTS for one in got)


@given(need=needs, several=several_peers, leaving=st.integers(0, 11))
def test_who_else_is_there_changes_nobodys_points(
    need: Need, several: list[Peer], leaving: int
) -> None:
    fewer = [peer for index, peer in enumerate(several) if index != leaving]

    whole = {one.peer_id: one.points for one in rank(need, several, ALL).candidates}
    for one in rank(need, fewer, ALL).candidates:
        assert whole[one.peer_id] == one.points


@given(need=needs, several=several_peers)
def test_no_candidate_breaks_what_client_and_law_require(need: Need, several: list[Peer]) -> None:
    known = {peer.id: peer for peer in several}

    for candidate in rank(need, several, ALL).candidates:
        peer = known[candidate.peer_id]
        assert peer.places_taken < peer.capacity
        assert peer.certified_until >= need.on
        assert peer.cleared_for_minors or not need.is_minor
        assert peer.id not in need.excluded_peer_ids | need.former_peer_ids
        assert candidate.modes
        assert set(candidate.modes) <= set(peer.modes) & set(need.modes)
