"""The index in memory against ranking one peer after the other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest

from services.chassis.places import Point, kilometres
from services.matching.domain.peer_index import PeerIndex, Standing
from services.matching.domain.ranking import Mode, Need, Peer, Policy
from tests.unit.matching import plain_ranking

TODAY = date(2026, 11, 23)
CASES = 10_000
POLICY = Policy()
WORDS = [f"word-{number}" for number in range(150)]  # more than two columns of bits
LANGUAGES = ("en", "en", "en", "es", "es-MX", "FR")
AREAS = {UUID(int=1): None, UUID(int=2): "North ", UUID(int=3): "south"}
ORGANISATIONS = tuple(AREAS)
HERE = (36.0, -96.0)
PLACES = (None, HERE, HERE, (36.1, -96.0), (36.3597, -96.0), (36.3598, -96.0))
MODEL = Peer(
    id=UUID(int=1),
    organisation_id=ORGANISATIONS[0],
    languages=("en",),
    modes=tuple(Mode),
    location=HERE,
    area=None,
    topics=frozenset(),
    access=frozenset(),
    gender=None,
    age_band=None,
    certified_until=TODAY,
    cleared_for_minors=False,
    is_active=True,
    capacity=1,
    places_taken=0,
)


def some(random: Random, of: list[str], most: int) -> frozenset[str]:
    return frozenset(random.sample(of, random.randint(0, most)))


def some_modes(random: Random) -> tuple[Mode, ...]:
    return tuple(random.sample(list(Mode), random.randint(1, len(Mode))))


def a_peer(random: Random, words: list[str]) -> Peer:
    organisation_id = random.choice(ORGANISATIONS)
    return Peer(
        id=UUID(int=random.choice((random.getrandbits(128), random.getrandbits(6)))),
        organisation_id=organisation_id,
        languages=tuple(random.choices(LANGUAGES, k=random.randint(1, 2))),
        modes=some_modes(random),
        location=random.choice(PLACES),
        area=AREAS[organisation_id],
        topics=some(random, words, 4),
        access=some(random, words, 2),
        gender=random.choice((None, "a", "b")),
        age_band=random.choice((None, "a", "b")),
        certified_until=TODAY + timedelta(days=random.choice((-1, 0, 400))),
        cleared_for_minors=random.random() < 0.5,
        is_active=random.random() < 0.9,
        capacity=random.randint(0, 4),
        places_taken=random.randint(0, 2),
    )


def a_need(random: Random, words: list[str], peers: list[Peer]) -> Need:
    known = [peer.id for peer in peers] or [UUID(int=1)]
    return Need(
        on=TODAY,
        languages=(random.choice(LANGUAGES),),
        modes=some_modes(random),
        location=random.choice(PLACES),
        area=random.choice((None, "north", "SOUTH", "nowhere")),
        is_minor=random.random() < 0.2,
        topics=some(random, words, 3),
        access_needs=some(random, words, 2),
        peer_genders=frozenset(random.choice(((), ("a",), ("a", "c")))),
        peer_age_bands=frozenset(random.choice(((), ("b",)))),
        organisation_ids=random.choice((None, None, frozenset(ORGANISATIONS[:2]), frozenset())),
        excluded_peer_ids=frozenset(random.sample(known, 1)),
        former_peer_ids=frozenset({UUID(int=5)}),
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_index_ranks_as_plain_python_does_after_any_changes(seed: int) -> None:
    """Peers come, change and go between the needs; few facts differ, so that ties are many."""
    random = Random(seed)
    words = WORDS if seed % 2 else WORDS[:4]
    index, known = PeerIndex(), dict[UUID, Peer]()
    for _ in range(CASES // 20):
        for peer in [a_peer(random, words) for _ in range(random.randint(0, 3))]:
            known[peer.id] = peer
            index.put([peer])
        if random.random() < 0.3:
            gone = random.sample(sorted(known), len(known) // 4)
            index.remove(gone)
            known = {id_: peer for id_, peer in known.items() if id_ not in gone}
        need = a_need(random, words, list(known.values()))

        assert index.rank(need, POLICY) == plain_ranking.rank(need, known.values(), POLICY)


@pytest.mark.parametrize("same", [10, 11, 500])
def test_of_many_with_the_same_points_the_lowest_ids_are_first(same: int) -> None:
    random = Random(same)
    peers = [replace(MODEL, id=UUID(int=random.getrandbits(128))) for _ in range(same)]
    need = Need(on=TODAY, languages=MODEL.languages, modes=MODEL.modes, location=HERE)
    index = PeerIndex()
    index.put(peers)

    assert index.rank(need, POLICY) == plain_ranking.rank(need, peers, POLICY)


def test_whole_kilometres_are_exact_where_two_neighbouring_numbers_lie_on_either_side() -> None:
    peers = [
        replace(MODEL, id=UUID(int=number), location=point)
        for number, point in enumerate(at_whole_kilometres(), start=1)
    ]
    need = Need(on=TODAY, languages=MODEL.languages, modes=MODEL.modes, location=HERE)
    policy = Policy(shortlist_length=len(peers))
    index = PeerIndex()
    index.put(peers)

    assert index.rank(need, policy) == plain_ranking.rank(need, peers, policy)


def at_whole_kilometres() -> Iterator[Point]:
    """Points so near to 1, 2, … kilometres from here that the next number is on the other side."""
    for whole in range(1, 41):
        for step in (-1, 1):
            inside, outside = HERE[1], HERE[1] + step
            while (between := (inside + outside) / 2) not in (inside, outside):
                if kilometres(HERE, (HERE[0], between)) < whole:
                    inside = between
                else:
                    outside = between
            yield HERE[0], inside
            yield HERE[0], outside


def test_an_organisation_that_moves_takes_its_peers_along() -> None:
    peer = replace(MODEL, location=None, area="north", modes=(Mode.IN_PERSON,))
    index = PeerIndex()
    index.put([peer])
    need = Need(on=TODAY, languages=peer.languages, modes=peer.modes, area="South")
    assert index.rank(need, POLICY).suitable == 0

    index.place({peer.organisation_id: " south"})

    assert index.rank(need, POLICY).suitable == 1


def test_an_index_without_peers_has_nobody_and_opens_nothing() -> None:
    need = Need(on=TODAY, languages=("en",), modes=(Mode.VIDEO,))

    ranking = PeerIndex().rank(need, POLICY)

    assert ranking == plain_ranking.rank(need, [], POLICY)
    assert ranking.suitable == 0


def test_whether_one_suits_is_told_as_the_whole_ranking_tells_it() -> None:
    random = Random(11)
    peers = {peer.id: peer for peer in (a_peer(random, WORDS[:4]) for _ in range(120))}
    index = PeerIndex()
    index.put(peers.values())
    for _ in range(40):
        need = a_need(random, WORDS[:4], list(peers.values()))
        whole = plain_ranking.rank(need, peers.values(), Policy(shortlist_length=1_000))
        for candidate in whole.candidates:
            standing = index.stands(need, candidate.peer_id, POLICY)
            assert standing == Standing((), candidate, whole.suitable)
        others = peers.keys() - {one.peer_id for one in whole.candidates}
        for peer_id in others:
            standing = index.stands(need, peer_id, POLICY)
            alone = plain_ranking.rank(need, [peers[peer_id]], POLICY)
            assert standing is not None
            assert standing.broken[0] == next(iter(alone.ruled_out))
    assert index.stands(need, UUID(int=2**127), POLICY) is None
