"""Checks that several schemas share: languages, zones, postal codes, phone numbers."""

import re
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from marshmallow import ValidationError

from services.chassis.places import locate

CHANNELS: Final = ("email", "sms", "phone", "reception")

# The shape of a language tag (RFC 5646); whether it is registered is nobody's loss.
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ().-]{5,22}[0-9]", re.ASCII)


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def known_zone(name: str) -> None:
    """By its listed name: ZoneInfo also opens others, such as "America.Indiana/Knox"."""
    if name not in known_zones():
        raise ValidationError("Not a known time zone.")


def known_postal_code(code: str) -> None:
    if locate(code) is None:
        raise ValidationError("Not a known postal code.")


def language_tag(tag: str) -> None:
    if not _LANGUAGE.fullmatch(tag) or len(tag) > 35:
        raise ValidationError("Not a language tag (BCP 47).")


def phone_number(number: str) -> None:
    if not _PHONE.fullmatch(number):
        raise ValidationError("Not a phone number.")
