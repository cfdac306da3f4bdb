"""Single values that a clinic types, each checked as far as one value can be."""

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, validate

from services.chassis import places
from services.referrals.domain.person import age_bounds
from services.referrals.domain.source import LARGEST_SCAN_BYTES, media_type

# The shape of a language tag, RFC 5646 section 2.1, without private-use and irregular tags.
LANGUAGE_TAG: Final = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?"
    r"(-([a-z\d]{5,8}|\d[a-z\d]{3}))*(-[a-wyz\d](-[a-z\d]{2,8})+)*",
    re.IGNORECASE | re.ASCII,
)
# Written so that Python and ECMAScript, which JSON Schema goes by, mean the same: Python's $
# alone would let a line break through at the end, and its \d the digits of every script.
CODE: Final = validate.Regexp(
    r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)", error="Not a code of small letters, digits and hyphens."
)
CLOCK_TIME: Final = validate.Regexp(
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", error="Not a time like 09:30."
)


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


class Words(fields.String):
    """Text that says something, without the spaces around it."""

    def __init__(self, *, longest: int, **more: Any) -> None:
        super().__init__(validate=validate.Length(min=1, max=longest), **more)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> str:
        return str(super()._deserialize(value, attr, data, **more)).strip()


class Code(fields.String):
    def __init__(self, **more: Any) -> None:
        super().__init__(validate=CODE, **more)


class ClockTime(fields.String):
    def __init__(self, **more: Any) -> None:
        super().__init__(validate=CLOCK_TIME, **more)


class Email(fields.Email):
    def __init__(self, **more: Any) -> None:
        super().__init__(validate=validate.Length(max=254), **more)


class TimeZone(fields.String):
    def __init__(self, **more: Any) -> None:
        super().__init__(
            metadata={"description": "A zone of the IANA database, such as America/Chicago"}, **more
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> str:
        zone = str(super()._deserialize(value, attr, data, **more))
        if zone not in known_zones():
            raise ValidationError("Not a time zone of the IANA database.")
        return zone


class LanguageTag(fields.String):
    """A well-formed BCP 47 tag, in its usual case."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            metadata={"description": "A BCP 47 language tag, such as es or en-US"}, **more
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> str:
        tag = str(super()._deserialize(value, attr, data, **more))
        if len(tag) > 35 or not LANGUAGE_TAG.fullmatch(tag):
            raise ValidationError("Not a BCP 47 language tag.")
        language, *rest = tag.split("-")
        return "-".join([language.lower(), *map(usual_case, rest)])


def usual_case(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()


class PostalCode(fields.String):
    def __init__(self, **more: Any) -> None:
        super().__init__(
            metadata={"description": "A United States ZIP code, five digits or ZIP+4"}, **more
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> str:
        code = str(super()._deserialize(value, attr, data, **more)).strip()
        if places.locate(code) is None:
            raise ValidationError("Not a known postal code.")
        return code


class AgeBand(fields.String):
    def __init__(self, **more: Any) -> None:
        super().__init__(metadata={"description": "Years of age: 18-24, 65+ or under-18"}, **more)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> str:
        band = str(super()._deserialize(value, attr, data, **more))
        if age_bounds(band) is None:
            raise ValidationError("Not an age band like 18-24, 65+ or under-18.")
        return band


class Day(fields.Date):
    """A date; what was stored as text goes out as it is."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> Any:
        return value if isinstance(value, str) else super()._serialize(value, attr, obj, **more)


class DayOrMoment(fields.String):
    """A day, meant to its end where the person lives, or a moment with its offset."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            metadata={
                "description": "A day, meant to its end in the person's zone, or an RFC 3339 time"
            },
            **more,
        )

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Any:
        text = str(super()._deserialize(value, attr, data, **more))
        try:
            if len(text) == len("2026-01-31"):
                return date.fromisoformat(text)
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError("Neither a day nor an RFC 3339 time.")


class ScanContent(fields.String):
    """A scan in base64 (RFC 4648 section 4), judged by what is in it."""

    def __init__(self, **more: Any) -> None:
        told = "A PDF, JPEG or PNG of at most 5 MiB, in base64"
        super().__init__(metadata={"description": told}, **more)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Any:
        text = str(super()._deserialize(value, attr, data, **more))
        try:
            content = b64decode(text, validate=True)
        except ValueError:
            raise ValidationError("Not base64.") from None
        problem = scan_problem(content)
        if problem:
            raise ValidationError(problem)
        return content


def scan_problem(content: bytes) -> str | None:
    if len(content) > LARGEST_SCAN_BYTES:
        return "Larger than 5 MB."
    return None if media_type(content) else "Not a whole PDF, JPEG or PNG file."
