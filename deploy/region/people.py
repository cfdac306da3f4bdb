"""Who lives in the demo region: clinics, peer organisations, rooms and peers, all made up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

TIME_ZONE = "America/Chicago"
PEER_CERTIFICATES_LAST_DAYS = 730

_REGION = uuid5(NAMESPACE_URL, "https://kindred.example/demo-region")


def region_id(name: str) -> str:
    """The same name has the same id at every load, so loading twice adds nothing."""
    return str(uuid5(_REGION, name))


@dataclass(frozen=True)
class Organisation:
    slug: str
    kind: str
    name: str
    area: str

    @property
    def id(self) -> str:
        return region_id(self.slug)


@dataclass(frozen=True)
class Room:
    slug: str
    organisation: Organisation
    name: str

    @property
    def id(self) -> str:
        return region_id(self.slug)


@dataclass(frozen=True)
class Peer:
    slug: str
    organisation: Organisation
    facts: dict[str, Any]
    weekly: Sequence[dict[str, str]]

    @property
    def email(self) -> str:
        return f"{self.slug}@peers.example"


def organisation_ids() -> list[str]:
    return [organisation.id for organisation in (*CLINICS, *PEER_ORGANISATIONS)]


def _clinic(slug: str, name: str, area: str) -> Organisation:
    return Organisation(slug, "clinic", name, area)


def _peer_organisation(slug: str, name: str, area: str) -> Organisation:
    return Organisation(slug, "peer-organisation", name, area)


CEDAR = _clinic("cedar-clinic", "Invented Cedar Clinic", "Tulsa")
TURNER = _clinic("turner-clinic", "Invented Turner Road Clinic", "Sapulpa")
DUCK_CREEK = _clinic("duck-creek-clinic", "Invented Duck Creek Health", "Mounds")
REDBUD = _clinic("redbud-clinic", "Invented Redbud Family Health", "Broken Arrow")
POLECAT = _clinic("polecat-clinic", "Invented Polecat Creek Counseling", "Jenks")
HEYBURN = _clinic("heyburn-clinic", "Invented Heyburn Lake Clinic", "Kellyville")
CLINICS = (CEDAR, TURNER, DUCK_CREEK, REDBUD, POLECAT, HEYBURN)

LANTERN = _peer_organisation("lantern-peers", "Imaginary Lantern Peers", "Tulsa")
SWITCHBACK = _peer_organisation("switchback-peers", "Imaginary Switchback Peers", "Sapulpa")
PORCHLIGHT = _peer_organisation("porchlight-peers", "Imaginary Porchlight Peers", "Broken Arrow")
PEER_ORGANISATIONS = (LANTERN, SWITCHBACK, PORCHLIGHT)

ROOMS = (
    Room("lantern-front-room", LANTERN, "Front room"),
    Room("lantern-garden-room", LANTERN, "Garden room"),
    Room("switchback-quiet-room", SWITCHBACK, "Quiet room"),
)

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def _hours(days: Sequence[str], begins: str, ends: str) -> list[dict[str, str]]:
    return [{"day": day, "from": begins, "to": ends} for day in days]


# Every rhythm offers something on working days, so that a time is found whenever the demo runs.
DAYTIME = _hours(_WEEKDAYS, "09:00", "17:00")
MORNINGS_AND_SATURDAY = [*_hours(_WEEKDAYS, "08:00", "12:30"), *_hours(["sat"], "09:00", "13:00")]
EVENINGS_AND_WEEKEND = [
    *_hours(_WEEKDAYS, "16:00", "21:00"),
    *_hours(["sat", "sun"], "10:00", "18:00"),
]
SPLIT_DAYS = [
    *_hours(_WEEKDAYS, "09:30", "11:30"),
    *_hours(_WEEKDAYS, "17:30", "20:30"),
    *_hours(["sun"], "13:00", "17:00"),
]

_EVERY_MODE = ("in-person", "video", "phone")
_FROM_AFAR = ("video", "phone")

# slug, shown name, organisation, languages, postal code, modes, topics, capacity, hours, more
_ROWS: tuple[tuple[Any, ...], ...] = (
    ("marigold", "Marigold Mockingham", LANTERN, "en", "74103", _EVERY_MODE, 5, DAYTIME),
    ("juniper", "Juniper Pretendson", LANTERN, "en es", "74104", _EVERY_MODE, 4, DAYTIME),
    ("alder", "Alder Notreal", LANTERN, "en", "74105", _EVERY_MODE, 4, EVENINGS_AND_WEEKEND),
    ("sorrel", "Sorrel Sampleton", LANTERN, "es", "74106", _EVERY_MODE, 4, SPLIT_DAYS),
    ("linden", "Linden Madeup", LANTERN, "en", "74107", _FROM_AFAR, 6, MORNINGS_AND_SATURDAY),
    ("yarrow", "Yarrow Fictionette", LANTERN, "en es", "74112", _EVERY_MODE, 3, DAYTIME),
    ("hazel", "Hazel Placeholder", LANTERN, "en", "74114", _EVERY_MODE, 4, SPLIT_DAYS),
    ("bramble", "Bramble Exampleby", LANTERN, "en", "74120", _FROM_AFAR, 5, EVENINGS_AND_WEEKEND),
    ("clover", "Clover Dummyfield", LANTERN, "en", "74127", _EVERY_MODE, 4, DAYTIME),
    ("rowan", "Rowan Testwell", LANTERN, "es en", "74133", _EVERY_MODE, 4, MORNINGS_AND_SATURDAY),
    ("aster", "Aster Imaginer", SWITCHBACK, "en", "74066", _EVERY_MODE, 5, DAYTIME),
    ("fennel", "Fennel Fabler", SWITCHBACK, "en es", "74047", _EVERY_MODE, 4, SPLIT_DAYS),
    ("teasel", "Teasel Inventado", SWITCHBACK, "es", "74066", _EVERY_MODE, 4, EVENINGS_AND_WEEKEND),
    ("willow", "Willow Storybook", SWITCHBACK, "en", "74033", _EVERY_MODE, 4, DAYTIME),
    ("sumac", "Sumac Supposedly", SWITCHBACK, "en", "74041", _EVERY_MODE, 3, MORNINGS_AND_SATURDAY),
    ("larkspur", "Larkspur Makebelieve", SWITCHBACK, "en es", "74010", _FROM_AFAR, 6, SPLIT_DAYS),
    ("catalpa", "Catalpa Phantasm", SWITCHBACK, "en", "74037", _EVERY_MODE, 4, DAYTIME),
    ("mullein", "Mullein Nobodyson", SWITCHBACK, "en", "74063", _EVERY_MODE, 4, SPLIT_DAYS),
    ("tansy", "Tansy Unreal", SWITCHBACK, "en", "74012", _FROM_AFAR, 5, EVENINGS_AND_WEEKEND),
    ("vetch", "Vetch Hypothetica", SWITCHBACK, "es en", "74008", _EVERY_MODE, 4, DAYTIME),
)
_CLEARED_FOR_MINORS = {"juniper", "hazel", "aster", "fennel", "teasel"}
_GENDERS = ("female", "male", "nonbinary")
_AGE_BANDS = ("18-24", "25-34", "35-44", "45-54", "55-64")
_TOPICS = ("alcohol", "grief", "housing", "parenting", "isolation", "opioids", "veteran")


def _peer(number: int, row: tuple[Any, ...]) -> Peer:
    slug, name, organisation, languages, postal_code, modes, capacity, weekly = row
    facts = {
        "organisation_id": organisation.id,
        "display_name": name,
        "phone": f"+1918555{100 + number:04d}",  # 555-01xx is kept free for invented people
        "languages": languages.split(),
        "postal_code": postal_code,
        "modes": list(modes),
        "topics": [_TOPICS[number % 7], _TOPICS[(number + 3) % 7]],
        "capacity": capacity,
        "time_zone": TIME_ZONE,
        "gender": _GENDERS[number % 3],
        "age_band": _AGE_BANDS[number % 5],
        "cleared_for_minors": slug in _CLEARED_FOR_MINORS,
    }
    return Peer(slug, organisation, facts, weekly)


PEERS = tuple(_peer(number, row) for number, row in enumerate(_ROWS))
