"""Ranking in memory against the same by other means, and what is around it in the handler.

Every side is asked for the same people, and all must say the same lists.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from uuid import UUID, uuid4

import psycopg

from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import Facts, Need, Peer, Policy, parts
from services.matching.handlers.known_peers import KnownPeers
from tests.benchmarks.bench import Bench
from tests.benchmarks.events_stage import Stage
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement, alternate, ratio_of
from tests.benchmarks.load import Unexpected, percentile
from tests.benchmarks.matching_sides import Best, PackedBits, PlainSets
from tests.benchmarks.synthetic_region import SyntheticRegion
from tests.integration.matching.story import Story

TOP, PYTHON, EXPLAIN, GROWTH = (
    "matching.top10",
    "matching.top10.python",
    "matching.explain",
    "matching.growth",
)
HANDLER, FRESH, FRESH_IN_PROCESS = "matching.handler", "matching.fresh", "matching.fresh.in_process"
PEERS, FEW_PEERS, HANDLER_PEERS = 100_000, 1_000, 10_000
CLIENTS, IN_A_ROUND, SLOWLY = 1_000, 40, 8
HANDLED = 40
POLICY = Policy()


@dataclass
class Sides:
    """The engines over the same peers; each round asks all of them for the next few clients."""

    peers: Sequence[Peer]
    needs: Iterator[Need]
    index: PeerIndex = field(default_factory=PeerIndex)

    def __post_init__(self) -> None:
        self.index.put(self.peers)

    def best(self, need: Need) -> Best:
        return [(one.peer_id, one.points) for one in self.index.rank(need, POLICY).candidates]

    def compare(
        self, other: Callable[[Need, Policy], Best], clients: int
    ) -> tuple[Mapping[str, list[float]], float]:
        """Milliseconds a client of both sides by rounds, and the ratio of ours to the other's."""
        asked: list[Need] = []

        def ours() -> float:
            asked[:] = [next(self.needs) for _ in range(clients)]
            return milliseconds(lambda: [self.best(need) for need in asked], clients)

        def theirs() -> float:
            found: list[Best] = []
            taken = milliseconds(lambda: found.extend(other(one, POLICY) for one in asked), clients)
            if found != [self.best(need) for need in asked]:
                raise Unexpected("two engines say different lists")
            return taken

        rounds = alternate({"ours": ours, "theirs": theirs})
        return rounds, ratio_of(rounds, "ours", "theirs")


def milliseconds(act: Callable[[], object], of: int = 1) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000 / of


def endless(region: SyntheticRegion) -> Iterator[Need]:
    while True:
        yield region.need()


def rank(bench: Bench) -> Mapping[str, Measured]:
    region = SyntheticRegion()
    sides = Sides(region.peers(PEERS), endless(region))
    needs = region.needs(CLIENTS)
    taken = [milliseconds(lambda one=need: sides.best(one)) for need in needs]  # type: ignore[misc]
    in_database = PackedBits(bench.postgres, sides.peers)
    rounds, to_database = sides.compare(in_database.best, IN_A_ROUND)
    found = {
        TOP: Measured(
            value=percentile(taken, 0.99),
            ratio=to_database,
            vs="postgresql-packed-bits",
            details={"p50": median(taken), "rounds": rounds},
        )
    }
    if bench.wants(PYTHON):
        rounds, to_python = sides.compare(PlainSets(sides.peers).best, SLOWLY)
        value = median(rounds["ours"])
        found[PYTHON] = Measured(
            value=value, ratio=to_python, vs="plain-sets", details={"rounds": rounds}
        )
    few = Sides(sides.peers[:FEW_PEERS], endless(SyntheticRegion(8)))
    return {**found, EXPLAIN: _explaining(sides, needs), GROWTH: _growing(sides, few, needs)}


def _explaining(sides: Sides, needs: Sequence[Need]) -> Measured:
    """The reasons of ten candidates in words' codes, from what ranking knows of them."""
    shown = [(need, sides.index.rank(need, POLICY).candidates) for need in needs[:IN_A_ROUND]]
    facts = [
        (need, [_facts_of(sides, need, one.peer_id) for one in candidates])
        for need, candidates in shown
    ]

    def explain() -> float:
        def reasons() -> None:
            for (need, several), (_, candidates) in zip(facts, shown, strict=True):
                for fact, candidate in zip(several, candidates, strict=True):
                    parts(need, fact, POLICY)
                    _ = candidate.reasons_for, candidate.reasons_against

        return milliseconds(reasons, len(facts))

    def ranking() -> float:
        return milliseconds(lambda: [sides.best(need) for need, _ in facts], len(facts))

    rounds = alternate({"explain": explain, "rank": ranking})
    return Measured(
        value=median(rounds["explain"]),
        ratio=ratio_of(rounds, "explain", "rank"),
        vs="ranking",
        details={"rounds": rounds},
    )


def _facts_of(sides: Sides, need: Need, peer_id: UUID) -> Facts:
    peer = next(one for one in sides.peers if one.id == peer_id)
    modes = tuple(mode for mode in need.modes if mode in peer.modes)
    return Facts(
        topics_shared=len(need.topics & peer.topics),
        modes=modes,
        kilometres=0,
        gender_wished=peer.gender in need.peer_genders,
        age_band_wished=peer.age_band in need.peer_age_bands,
        access_met=len(need.access_needs & peer.access),
        capacity=peer.capacity,
        free=peer.capacity - peer.places_taken,
    )


def _growing(many: Sides, few: Sides, needs: Sequence[Need]) -> Measured:
    def asked(sides: Sides) -> Callable[[], float]:
        some = needs[:IN_A_ROUND]
        return lambda: milliseconds(lambda: [sides.best(need) for need in some], len(some))

    rounds = alternate({"many": asked(many), "few": asked(few)})
    return Measured(
        value=median(rounds["many"]),
        ratio=ratio_of(rounds, "many", "few"),
        vs=f"{FEW_PEERS}-peers",
        details={"rounds": rounds},
    )


def handle(bench: Bench) -> Mapping[str, Measured]:
    """From the delivery in the process to the commit of the shortlist with its event."""
    stage = Stage(bench)
    story = Story(stage.scene)
    _add_peers(stage, story)
    # As in a consumer, which has one for its whole life.
    handling = stage.scene.handling("referral.x")
    stage.scene.handling = lambda *_: handling  # type: ignore[method-assign]
    story.refer()  # loads the peers
    known: KnownPeers = stage.scene.workplace.kept[KnownPeers]
    region = SyntheticRegion()
    kernel = Sides(region.peers(HANDLER_PEERS), endless(region))

    def handler() -> float:
        return milliseconds(lambda: [story.refer() for _ in range(HANDLED)], HANDLED)

    with psycopg.connect(stage.administrator, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id uuid PRIMARY KEY, at timestamptz)")

        def floor() -> float:
            needs = [next(kernel.needs) for _ in range(HANDLED)]

            def each() -> None:
                for need in needs:
                    kernel.best(need)
                    with connection.transaction():
                        connection.execute("INSERT INTO bare VALUES (%s, now())", (uuid4(),))

            return milliseconds(each, HANDLED)

        rounds = alternate({"handler": handler, "floor": floor})
        fresh = [_freshness(connection, story) for _ in range(HANDLED)]
    in_process = [_put_one(known._index, peer) for peer in region.peers(HANDLED)]
    return {
        HANDLER: Measured(
            value=median(rounds["handler"]),
            ratio=ratio_of(rounds, "handler", "floor"),
            vs="kernel+transaction",
            details={"rounds": rounds},
        ),
        FRESH: Measured(value=percentile(fresh, 0.99), details={"p50": median(fresh)}),
        FRESH_IN_PROCESS: Measured(
            value=percentile(in_process, 0.99), details={"p50": median(in_process)}
        ),
    }


def _freshness(connection: psycopg.Connection[object], story: Story) -> float:
    """Milliseconds from another process's commit to a stored ranking that has seen it."""
    connection.execute(
        """
        UPDATE peers SET capacity = capacity + 1, places_limit = places_limit + 1
         WHERE id = (SELECT id FROM peers ORDER BY random() LIMIT 1)
        """
    )
    return milliseconds(story.refer)


def _put_one(index: PeerIndex, peer: Peer) -> float:
    return milliseconds(lambda: index.put([replace(peer, id=uuid4())]))


def _add_peers(stage: Stage, story: Story) -> None:
    add = """
        INSERT INTO peers (id, peer_organisation_id, display_name, email, contact_key,
                           preferred_channel, languages, modes, postal_code, time_zone,
                           topics, access, certified_until, cleared_for_minors, capacity,
                           places_limit, registered_at, updated_at)
        SELECT gen_random_uuid(), %(organisation)s, 'Peer', 'peer@kindred.example',
               'email:' || n, 'email', CASE WHEN n %% 4 = 0 THEN '{es}' ELSE '{en}' END::text[],
               '{video,phone}', (74000 + n %% 170)::text, 'America/Chicago',
               ARRAY['grief', 'topic-' || n %% 30], '{}', '2100-01-01', false, 9, 9, now(), now()
          FROM generate_series(1, %(count)s) AS n
    """
    with psycopg.connect(stage.administrator) as connection:
        given = {"organisation": story.peer_org, "count": HANDLER_PEERS}
        connection.execute(add, given)


MEASUREMENTS = (
    Measurement(
        figures=(
            Figure(TOP, "ms", Goal("<=", 1 / 8, on="ratio")),
            Figure(PYTHON, "ms", Goal("<=", 1 / 30, on="ratio")),
            Figure(EXPLAIN, "ms", Goal("<=", 0.02, on="ratio")),
            Figure(GROWTH, "ms", Goal("<=", 40, on="ratio")),
        ),
        run=rank,
    ),
    Measurement(
        figures=(
            Figure(HANDLER, "ms", Goal("<=", 3, on="ratio")),
            Figure(FRESH, "ms", Goal("<=", 250)),
            Figure(FRESH_IN_PROCESS, "ms", Goal("<=", 1)),
        ),
        run=handle,
    ),
)
