"""The same ranking by other means: a query on packed bits in PostgreSQL, and plain Python sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from uuid import UUID

import psycopg

from services.chassis.places import EARTH_KILOMETRES, kilometres
from services.matching.domain.ranking import Mode, Need, Peer, Policy, primary
from tests.benchmarks.synthetic_region import ACCESS, AGE_BANDS, GENDERS, LANGUAGES, TOPICS

# By points, then id: how every engine here says who is ahead.
Best = list[tuple[UUID, int]]
BITS = 64
FAR = float("inf")


def packed(words: Iterable[str], known: Sequence[str]) -> str:
    """The words as PostgreSQL's bit string."""
    marks = ["0"] * BITS
    for word in words:
        marks[known.index(word)] = "1"
    return "".join(marks)


def mode_bits(modes: Iterable[Mode]) -> int:
    return sum(1 << list(Mode).index(mode) for mode in modes)


class PackedBits:
    """One table of packed facts, and one query that filters, counts and sorts."""

    TABLE = """
        CREATE TABLE packed (
            id uuid PRIMARY KEY, languages bit(64), modes integer, latitude float8,
            longitude float8, topics bit(64), access bit(64), gender integer, age_band integer,
            certified_until date, cleared boolean, active boolean, capacity integer, taken integer
        )
    """
    # Facts that cost little are asked first; distance only where somebody would meet in person.
    BEST = """
        SELECT id,
               CASE WHEN %(topics_count)s = 0 THEN %(w_topics)s
                    ELSE %(w_topics)s * bit_count(topics & %(topics)s) / %(topics_count)s END
               + CASE WHEN %(in_person)s = 0 THEN %(w_distance)s
                      WHEN met & %(in_person)s = 0 THEN 0
                      ELSE %(w_distance)s * (%(furthest)s - apart) / %(furthest)s END
               + %(w_modes)s * bit_count(met::bit(8)) / %(modes_count)s
               + CASE WHEN %(genders)s = '{}' OR gender = ANY (%(genders)s)
                      THEN %(w_gender)s ELSE 0 END
               + CASE WHEN %(age_bands)s = '{}' OR age_band = ANY (%(age_bands)s)
                      THEN %(w_age)s ELSE 0 END
               + CASE WHEN %(access_count)s = 0 THEN %(w_access)s
                      ELSE %(w_access)s * bit_count(access & %(access)s) / %(access_count)s END
               + %(w_load)s * (capacity - taken) / capacity AS points
          FROM packed
          CROSS JOIN LATERAL (
              SELECT CASE WHEN modes & %(in_person)s = 0 THEN NULL
                     ELSE floor(2 * %(earth)s * asin(least(1, sqrt(
                         sin((radians(latitude) - radians(%(latitude)s)) / 2) ^ 2
                         + cos(radians(latitude)) * cos(radians(%(latitude)s))
                           * sin((radians(longitude) - radians(%(longitude)s)) / 2) ^ 2
                     ))))::integer END AS apart
          ) AS way
          CROSS JOIN LATERAL (
              SELECT modes & CASE WHEN apart <= %(furthest)s THEN %(modes)s
                                  ELSE %(modes)s & ~%(in_person)s END AS met
          ) AS ways
         WHERE active AND taken < capacity AND certified_until >= %(on)s
           AND (cleared OR NOT %(is_minor)s) AND modes & %(modes)s <> 0
           AND (languages & %(languages)s) <> 0::bit(64) AND met <> 0
         ORDER BY points DESC, id
         LIMIT %(length)s
    """

    def __init__(self, dsn: str, peers: Sequence[Peer]) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.connection.execute("DROP TABLE IF EXISTS packed")
        self.connection.execute(self.TABLE)
        with self.connection.cursor().copy("COPY packed FROM STDIN") as copy:
            for peer in peers:
                copy.write_row(self._row(peer))
        self.connection.execute("VACUUM ANALYZE packed")

    def _row(self, peer: Peer) -> tuple[object, ...]:
        latitude, longitude = peer.location or (None, None)
        return (
            peer.id,
            packed(primary(peer.languages), LANGUAGES),
            mode_bits(peer.modes),
            latitude,
            longitude,
            packed(peer.topics, TOPICS),
            packed(peer.access, ACCESS),
            GENDERS.index(peer.gender),
            AGE_BANDS.index(peer.age_band or ""),
            peer.certified_until,
            peer.cleared_for_minors,
            peer.is_active,
            peer.capacity,
            peer.places_taken,
        )

    def best(self, need: Need, policy: Policy) -> Best:
        latitude, longitude = need.location or (None, None)
        weights = policy.weights
        given = {
            "topics": packed(need.topics, TOPICS),
            "topics_count": len(need.topics),
            "access": packed(need.access_needs, ACCESS),
            "access_count": len(need.access_needs),
            "languages": packed(need.spoken, LANGUAGES),
            "modes": mode_bits(need.modes),
            "modes_count": len(need.modes),
            "in_person": mode_bits({Mode.IN_PERSON} & set(need.modes)),
            "genders": [GENDERS.index(one) for one in need.peer_genders],
            "age_bands": [AGE_BANDS.index(one) for one in need.peer_age_bands],
            "latitude": latitude,
            "longitude": longitude,
            "earth": EARTH_KILOMETRES,
            "furthest": policy.max_kilometres,
            "on": need.on,
            "is_minor": need.is_minor,
            "length": policy.shortlist_length,
            "w_topics": weights["topics"],
            "w_distance": weights["distance"],
            "w_modes": weights["modes"],
            "w_gender": weights["gender"],
            "w_age": weights["age-band"],
            "w_access": weights["access"],
            "w_load": weights["load"],
        }
        # Written out by the client: the planner then knows every number, and nothing is prepared.
        rows = psycopg.ClientCursor(self.connection).execute(self.BEST, given).fetchall()
        return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True)
class _Kept:
    peer: Peer

    @cached_property
    def spoken(self) -> frozenset[str]:
        return primary(self.peer.languages)

    @cached_property
    def modes(self) -> frozenset[Mode]:
        return frozenset(self.peer.modes)


class PlainSets:
    """One peer after the other by sets and numbers of Python; what costs little is asked first."""

    def __init__(self, peers: Iterable[Peer]) -> None:
        self.kept = [_Kept(peer) for peer in peers]

    def best(self, need: Need, policy: Policy) -> Best:
        found = []
        weights, furthest = policy.weights, policy.max_kilometres
        wanted = frozenset(need.modes)
        in_person = Mode.IN_PERSON in wanted and need.location is not None
        topics, access = need.topics, need.access_needs
        genders, age_bands = need.peer_genders, need.peer_age_bands
        for kept in self.kept:
            peer = kept.peer
            if (
                not peer.is_active
                or peer.places_taken >= peer.capacity
                or need.spoken.isdisjoint(kept.spoken)
                or peer.certified_until < need.on
                or (need.is_minor and not peer.cleared_for_minors)
            ):
                continue
            apart = FAR
            if in_person and peer.location is not None and Mode.IN_PERSON in peer.modes:
                apart = kilometres(need.location, peer.location)  # type: ignore[arg-type]
            near = apart < furthest + 1
            too_far = in_person and Mode.IN_PERSON in peer.modes and not near
            met = len(wanted & kept.modes) - too_far
            if not met:
                continue
            points = weights["load"] * (peer.capacity - peer.places_taken) // peer.capacity
            points += weights["modes"] * met // len(wanted)
            if not in_person:
                points += weights["distance"]
            elif near:
                points += weights["distance"] * (furthest - int(apart)) // furthest
            if not topics:
                points += weights["topics"]
            else:
                points += weights["topics"] * len(topics & peer.topics) // len(topics)
            if not access:
                points += weights["access"]
            else:
                points += weights["access"] * len(access & peer.access) // len(access)
            if not genders or peer.gender in genders:
                points += weights["gender"]
            if not age_bands or peer.age_band in age_bands:
                points += weights["age-band"]
            found.append((-points, peer.id))
        best = nsmallest(policy.shortlist_length, found)
        return [(id_, -points) for points, id_ in best]
