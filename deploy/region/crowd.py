"""The rest of the demo region: 130 more peers and 400 clients, made up by number.

The same number is the same person at every build. Some have names or circumstances that a page
must bear: long ones, such as are written from right to left, nobody to write to, a shared phone.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from deploy.region.people import CLINICS, PEER_ORGANISATIONS, TIME_ZONE

MORE_PEERS, CLIENTS = 130, 400

_GIVEN = (
    "Amara", "Bento", "Cleo", "Dariusz", "Eun-ji", "Fatima", "Gideon", "Hoa", "Imani", "Jonah",
    "Kateri", "Luz", "Mateo", "Nadia", "Oskar", "Priya", "Quincy", "Rosa", "Samir", "Tove",
    "Umeko", "Vera", "Wendell", "Ximena", "Yusuf", "Zoya", "Abel", "Brigid", "Cato", "Delfina",
)  # fmt: skip
_FAMILY = (
    "Imaginedale",
    "Notwell-Known",
    "Makepeace",
    "Fictionova",
    "Inventado",
    "Storyford",
    "Pretendergast",
    "Nonesuch",
    "Supposeby",
    "Examplesson",
    "Dreamworth",
    "Paperhouse",
)
_AWKWARD: Final[Mapping[int, tuple[str, str]]] = {
    7: ("Maximiliana-Wilhelmina Anastasia", "von Featherstonehaugh-Cholmondeley y Inventado"),
    29: ("\u0646\u0648\u0631", "\u0627\u0644\u0645\u062e\u062a\u0631\u0639"),  # right to left
    83: ("O", "Q"),
    131: ("Thi\u00ean-\u00c2n", "Nguy\u1ec5n-T\u01b0\u1edfng T\u01b0\u1ee3ng"),
}
_POSTAL_CODES = (
    "74103", "74104", "74105", "74106", "74107", "74112", "74114", "74120", "74127", "74133",
    "74066", "74047", "74033", "74041", "74010", "74037", "74063", "74012", "74008", "74011",
)  # fmt: skip
_TOPICS = ("alcohol", "grief", "housing", "parenting", "isolation", "opioids", "veteran")
_STORIES = (
    "I like to talk while walking, and I am a patient listener on days without words.",
    "I have two dogs and an untidy garden. We can sit there, or just talk on the phone.",
    "I was where you may be now, a good while ago. I will not tell you what to do.",
    "Coffee, long drives, old radios. I answer messages slowly and calls at once.",
    None,
)
_MODES = (["in-person", "video"], ["video", "phone"], ["phone"], ["in-person", "video", "phone"])
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


class Stage(StrEnum):
    """How far a client has come."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    CHOSEN = "chosen"
    OFFERED = "offered"
    WAITING = "waiting"
    UNDECIDED = "undecided"
    ASKED = "asked"
    AWAITING_CONSENT = "awaiting-consent"
    DECLINED = "declined"


# Together 400.
HOW_MANY: Final[Mapping[Stage, int]] = {
    Stage.ACTIVE: 170,
    Stage.PAUSED: 10,
    Stage.COMPLETED: 30,
    Stage.CONFIRMED: 20,
    Stage.CHOSEN: 15,
    Stage.OFFERED: 25,
    Stage.WAITING: 70,
    Stage.UNDECIDED: 30,
    Stage.ASKED: 10,
    Stage.AWAITING_CONSENT: 15,
    Stage.DECLINED: 5,
}
# Those who had their peer before the region began.
FROM_BEFORE: Final = (Stage.ACTIVE, Stage.PAUSED, Stage.COMPLETED)


def stages() -> list[Stage]:
    """Of each client, by number."""
    return [stage for stage, count in HOW_MANY.items() for _ in range(count)]


def more_peer(number: int) -> dict[str, Any]:
    """The body of a peer's registration, but for the certificate's last day."""
    spoken = ["en", "es"] if number % 3 == 0 else ["en"]
    return {
        "organisation_id": PEER_ORGANISATIONS[number % 3].id,
        "display_name": " ".join(_name(number * 11 + 5)),
        "email": f"crowd-{number:03}@peers.example",
        "phone": f"+1918555{120 + number % 80:04d}",  # 555-01xx is kept free for invented people
        "languages": spoken,
        "postal_code": _POSTAL_CODES[number * 7 % 20],
        "modes": _MODES[number % 4],
        "topics": [_TOPICS[number % 7], _TOPICS[(number + 2) % 7]],
        "story": _STORIES[number % len(_STORIES)],
        "capacity": 2 + number % 4,
        "time_zone": TIME_ZONE,
    }


def hours(number: int) -> dict[str, Any]:
    begins, ends = (("09:00", "17:00"), ("08:00", "12:30"), ("15:00", "20:30"))[number % 3]
    weekly = [{"day": day, "from": begins, "to": ends} for day in _WEEKDAYS]
    return {"time_zone": TIME_ZONE, "weekly": weekly, "exceptions": []}


def clinic_of(number: int) -> str:
    return CLINICS[number % len(CLINICS)].id


def client(number: int) -> dict[str, Any]:
    """The person's facts as a referral states them."""
    given, family = _name(number)
    born = date(1948, 1, 1) + timedelta(days=number * 5153 % 20_000)
    facts: dict[str, Any] = {
        "given_name": given,
        "family_name": family,
        "birth_date": born.isoformat(),
        "record_number": f"REGION-{number:04}",
        "languages": ["es"] if number % 9 == 4 else ["en"],
        "time_zone": TIME_ZONE,
        "postal_code": _POSTAL_CODES[number * 3 % 20],
    }
    if number % 17 == 3:  # nobody to write to: reception tells them
        return facts | {"preferred_channel": "reception"}
    if number % 13 == 5:
        phone = f"+1918555{100 + number % 90:04d}"
        shared = {"shared_phone": number % 2 == 0}
        return facts | {"phone": phone, "preferred_channel": "phone", "safe_contact": shared}
    return facts | {"email": f"region-{number:03}@clients.example", "preferred_channel": "email"}


def asked(number: int) -> dict[str, Any]:
    """What the person would like."""
    topics = [_TOPICS[number % 7], _TOPICS[(number + 3) % 7]][: 1 + number % 2]
    urgency = "urgent" if number % 23 == 0 else "soon" if number % 5 == 0 else "routine"
    return {"topics": topics, "modes": _MODES[number % 4], "urgency": urgency}


def first_day(number: int, today: date) -> date:
    """When somebody from before came: within the last two years."""
    return today - timedelta(days=40 + number * 37 % 690)


def day_of_coming(number: int, today: date) -> date:
    """When somebody came who waits now: most within weeks, a few months ago."""
    return today - timedelta(days=1 + number * number * 7 % (21 if number % 4 else 160))


def _name(number: int) -> tuple[str, str]:
    return _AWKWARD.get(number) or (_GIVEN[number * 7 % 30], _FAMILY[number * 5 % 12])
