"""Who somebody is and how they are reached safely, told from the facts a clinic gave."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import phonenumbers

HOME_REGION: Final = "US"
ADULT_AT: Final = 18
OLDEST: Final = 125
LONGEST_KEY: Final = 400
FACTS_OF_NEED: Final = (
    "birth_date",
    "age_band",
    "languages",
    "time_zone",
    "postal_code",
    "area",
    "preferred_channel",
)
NOT_LETTERS: Final = re.compile(r"[\W_]+")
AGE_BAND: Final = re.compile(r"(?:(\d{1,3})-(\d{1,3})|(\d{1,3})\+|under-(\d{1,3}))", re.ASCII)


def reachable_phone(number: str | None) -> str | None:
    """Write a number that can be called as E.164; one that cannot is no number."""
    if not number:
        return None
    try:
        parsed = phonenumbers.parse(number, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    written: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return written


def age_bounds(band: str) -> tuple[int, int] | None:
    """Read "18-24", "65+" or "under-18"; anything else is no band."""
    found = AGE_BAND.fullmatch(band)
    if not found:
        return None
    low, high, at_least, below = found.groups()
    if at_least:
        bounds = int(at_least), OLDEST
    elif below:
        bounds = 0, int(below) - 1
    else:
        bounds = int(low), int(high)
    return bounds if 0 <= bounds[0] <= bounds[1] <= OLDEST else None


def age_on(birth_date: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)


def is_minor(client: Mapping[str, Any], today: date) -> bool:
    """Say whether the person may be under age; a band that reaches below counts as minor."""
    if client.get("birth_date"):
        return age_on(date.fromisoformat(client["birth_date"]), today) < ADULT_AT
    bounds = age_bounds(client.get("age_band") or "")
    return bounds is not None and bounds[0] < ADULT_AT


def birth_date_problem(birth_date: date, today: date) -> str | None:
    if birth_date > today:
        return "Lies in the future."
    if age_on(birth_date, today) > OLDEST:
        return "Lies too far back."
    return None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the same person is recognised by within one clinic."""

    record_key: str | None
    name_key: str
    birth_date: date | None
    email_key: str | None
    phone_key: str | None

    def is_same_person(self, other: "Identity") -> bool:
        """A shared record number settles it; else name and birth date, unless records differ."""
        name_is_same = self.name_key == other.name_key
        born_same_day = self.birth_date is not None and self.birth_date == other.birth_date
        if self.record_key and self.record_key == other.record_key:
            # A mistyped record number must not make two people one.
            return name_is_same or born_same_day or self.shares_contact(other)
        if not name_is_same:
            return False
        if self.record_key and other.record_key:
            return born_same_day and self.shares_contact(other)
        return born_same_day or (self.may_be_as_old(other) and self.shares_contact(other))

    def may_be_as_old(self, other: "Identity") -> bool:
        return self.birth_date is None or other.birth_date is None

    def shares_contact(self, other: "Identity") -> bool:
        same_email = self.email_key is not None and self.email_key == other.email_key
        return same_email or (self.phone_key is not None and self.phone_key == other.phone_key)


def identity(client: Mapping[str, Any]) -> Identity:
    """Reduce a client's facts to what stays the same however they are typed."""
    born = client.get("birth_date")
    return Identity(
        record_key=letters(client.get("record_number") or "") or None,
        name_key=letters(client["given_name"] + client["family_name"]),
        birth_date=date.fromisoformat(born) if born else None,
        email_key=(client.get("email") or "").casefold() or None,
        phone_key=reachable_phone(client.get("phone")),
    )


def letters(text: str) -> str:
    """Fold case, accents, spaces and punctuation away."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    # One sign may decompose into many, and PostgreSQL indexes no key beyond 2,700 bytes.
    return NOT_LETTERS.sub("", bare).casefold()[:LONGEST_KEY]


@dataclass(frozen=True)
class Earlier:
    """An earlier referral of the clinic that may be of the same person."""

    referral_id: UUID
    client_id: UUID
    identity: Identity


def same_person(new: Identity, earlier: Sequence[Earlier]) -> Earlier | None:
    """Find whom the clinic has referred before: newest first, a shared contact before that."""
    same = [candidate for candidate in earlier if new.is_same_person(candidate.identity)]
    sharing = [candidate for candidate in same if new.shares_contact(candidate.identity)]
    return next(iter(sharing or same), None)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Where a message for the person goes."""

    name: str
    email: str | None
    phone: str | None
    preferred_channel: str
    through_representative: bool


def reach(
    client: Mapping[str, Any], representative: Mapping[str, Any] | None, *, minor: bool
) -> Reach:
    """Reach a person through their representative where there is one, a child never directly."""
    name = client.get("preferred_name") or client["given_name"]
    channel = client["preferred_channel"]
    if representative:
        email = representative.get("email")
        phone = reachable_phone(representative.get("phone"))
        return Reach(
            name=representative["name"],
            email=email,
            phone=phone,
            preferred_channel=usable_channel(channel, email, phone),
            through_representative=True,
        )
    if minor:
        return Reach(
            name=name,
            email=None,
            phone=None,
            preferred_channel="reception",
            through_representative=False,
        )
    return Reach(
        name=name,
        email=client.get("email"),
        phone=reachable_phone(client.get("phone")),
        preferred_channel=channel,
        through_representative=False,
    )


def renews_contact(given: Mapping[str, Any], now: Reach) -> bool:
    """Say whether a correction names the mailbox anew, or has the person rung from now on."""
    named = (given.get("representative") or {}) if now.through_representative else given
    return "email" in named or ("phone" in named and now.preferred_channel == "phone")


def usable_channel(wished: str, email: str | None, phone: str | None) -> str:
    """Keep the wished channel where it leads somewhere, else take one that does."""
    if wished == "email" and not email and phone:
        return "phone"
    if wished in {"sms", "phone"} and not phone and email:
        return "email"
    return wished


def needs_differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Say whether a correction touches what matching ranks by."""
    return any(before.get(fact) != after.get(fact) for fact in FACTS_OF_NEED)


def default_channel(client: Mapping[str, Any]) -> str:
    if client.get("email"):
        return "email"
    return "phone" if client.get("phone") else "reception"


class Gap:
    """Kinds of tasks for the coordinator before the person can be reached."""

    UNREACHABLE_PHONE = "unreachable-phone"
    CONTACT_MISSING = "contact-missing"
    REPRESENTATIVE_MISSING = "representative-missing"


GAPS: Final = frozenset({Gap.UNREACHABLE_PHONE, Gap.CONTACT_MISSING, Gap.REPRESENTATIVE_MISSING})


def contact_gaps(
    client: Mapping[str, Any], representative: Mapping[str, Any] | None, *, minor: bool
) -> set[str]:
    """Name what stands between us and the person: each becomes a task, none a refusal."""
    gaps = set()
    for given in filter(None, (client.get("phone"), (representative or {}).get("phone"))):
        if not reachable_phone(given):
            gaps.add(Gap.UNREACHABLE_PHONE)
    if minor and not representative:
        return gaps | {Gap.REPRESENTATIVE_MISSING}
    found = reach(client, representative, minor=minor)
    needed = {"email": found.email, "sms": found.phone, "phone": found.phone, "reception": "there"}
    phone_was_wrong = Gap.UNREACHABLE_PHONE in gaps and found.preferred_channel != "email"
    if not needed[found.preferred_channel] and not phone_was_wrong:
        gaps.add(Gap.CONTACT_MISSING)
    return gaps
