"""Peers and needs of a made-up region: the same at every run, and as unlike as people are."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from uuid import UUID

from services.chassis.places import Point
from services.matching.domain.ranking import Mode, Need, Peer

TODAY = date(2026, 11, 23)
TOPICS = [f"topic-{number}" for number in range(40)]
# The more common the likelier.
TOPIC_WEIGHTS = [1 / (1 + number) for number in range(len(TOPICS))]
LANGUAGES = ("en", "es", "vi", "zh", "ar", "fr")
LANGUAGE_WEIGHTS = (70, 18, 4, 3, 3, 2)
ACCESS = ("step-free", "sign-language", "large-print", "quiet-room")
GENDERS = ("woman", "man", "nonbinary", None)
AGE_BANDS = ("18-25", "26-40", "41-60", "over-60")
ORGANISATIONS = tuple(UUID(int=number) for number in range(1, 21))
PLACES = 600


class SyntheticRegion:
    """Draws peers and needs, each time the next ones of one sequence."""

    def __init__(self, seed: int = 7) -> None:
        self.random = Random(seed)
        self.places: Sequence[Point] = [
            (35.5 + 1.2 * self.random.random(), -96.6 + 1.4 * self.random.random())
            for _ in range(PLACES)
        ]

    def peers(self, count: int) -> list[Peer]:
        return [self.peer() for _ in range(count)]

    def needs(self, count: int) -> list[Need]:
        return [self.need() for _ in range(count)]

    def peer(self) -> Peer:
        random = self.random
        capacity = random.randint(1, 12)
        return Peer(
            id=UUID(int=random.getrandbits(128)),
            organisation_id=random.choice(ORGANISATIONS),
            languages=self._languages(random.choice((1, 1, 1, 2))),
            modes=self._modes(),
            location=random.choice(self.places),
            area=None,
            topics=self._topics(random.randint(2, 7)),
            access=frozenset(random.sample(ACCESS, random.randint(0, 2))),
            gender=random.choice(GENDERS),
            age_band=random.choice(AGE_BANDS),
            certified_until=TODAY + timedelta(days=random.randint(-30, 700)),
            cleared_for_minors=random.random() < 0.3,
            is_active=random.random() < 0.95,
            capacity=capacity,
            places_taken=random.randint(0, capacity),
        )

    def need(self) -> Need:
        random = self.random
        return Need(
            on=TODAY,
            languages=self._languages(1),
            modes=self._modes(),
            location=random.choice(self.places),
            is_minor=random.random() < 0.05,
            topics=self._topics(random.randint(1, 4)),
            access_needs=frozenset(random.sample(ACCESS, random.choice((0, 0, 0, 1)))),
            peer_genders=frozenset(random.choice(((), (), ("woman",), ("man",)))),
            peer_age_bands=frozenset(random.choice(((), (), (random.choice(AGE_BANDS),)))),
        )

    def _languages(self, count: int) -> tuple[str, ...]:
        drawn = self.random.choices(LANGUAGES, LANGUAGE_WEIGHTS, k=count)
        return tuple(dict.fromkeys(drawn))

    def _modes(self) -> tuple[Mode, ...]:
        return tuple(self.random.sample(list(Mode), self.random.choice((1, 2, 2, 3))))

    def _topics(self, count: int) -> frozenset[str]:
        return frozenset(self.random.choices(TOPICS, TOPIC_WEIGHTS, k=count))
