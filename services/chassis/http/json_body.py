"""Strict JSON: bounded in size and depth, no name twice, no number or text that cannot be kept."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from services.chassis.http.raw import RawRequest
from services.chassis.problems import BadRequest, Invalid, TooLarge, UnsupportedMediaType

CONTENT_TYPE = "application/json"
MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
# RFC 7493: beyond this, programs disagree which number was meant.
MAX_INTEGER = 2**53 - 1

# The closing quote is optional, so that text without one is not searched again and again.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Unreadable(ValueError):
    """Text names the rule, never the value."""


def read_json(request: RawRequest, max_bytes: int) -> Any:
    """The body of a request; nothing sent counts as an empty object."""
    raw = read_bytes(request, max_bytes)
    if not raw:
        return {}
    require_type(request, CONTENT_TYPE)
    return parse_json(raw)


def parse_json(raw: bytes) -> Any:
    """Parse strictly; raise BadRequest for what is no JSON, Invalid for text nobody can keep."""
    try:
        text = raw.decode("utf-8")
        _check_depth(text)
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(slug="malformed-json", detail=f"Not JSON at {where}.") from None
    except UnicodeDecodeError:
        raise BadRequest(slug="malformed-json", detail="The body is not UTF-8.") from None
    except _Unreadable as error:
        raise BadRequest(slug="malformed-json", detail=str(error)) from None
    errors = {path: ["Contains a character that cannot be kept."] for path in _unstorable(value)}
    if errors:
        raise Invalid(errors)
    return value


def read_bytes(request: RawRequest, max_bytes: int) -> bytes:
    declared = request.header("content-length")
    if declared and declared.isdecimal() and int(declared) > max_bytes:
        raise TooLarge(max_bytes)
    if request.header("content-encoding") not in (None, "", "identity"):
        raise UnsupportedMediaType("an unencoded body")
    try:
        raw = request.read_body(max_bytes + 1)
    except (ValueError, OSError):
        raise BadRequest(detail="The body ends before its end.") from None
    if len(raw) > max_bytes:
        raise TooLarge(max_bytes)
    return raw


def require_type(request: RawRequest, accepted: str) -> None:
    media_type, _, parameters = (request.header("content-type") or "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if media_type.strip().lower() != accepted or charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaType(accepted)


def can_be_stored(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it knows neither NUL nor half a character."""
    return "\0" not in text and not _SURROGATE.search(text)


def _check_depth(text: str) -> None:
    """Before parsing, since the parser itself recurses."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise _Unreadable(f"Nested deeper than {MAX_DEPTH} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unreadable("An object has the same name twice.")
    return found


def _constant(name: str) -> NoReturn:
    raise _Unreadable(f"{name} is no JSON number.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Unreadable("A number is too large.")
    return number


def _int(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise _Unreadable("A number is too large.")
    return int(text)


def _unstorable(value: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of texts, or of what holds a name, that cannot be stored."""
    if isinstance(value, str):
        if not can_be_stored(value):
            yield path or "body"
    elif isinstance(value, dict):
        for name, inner in value.items():
            if can_be_stored(name):
                yield from _unstorable(inner, f"{path}.{name}" if path else name)
            else:
                yield path or "body"
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}.{index}" if path else str(index))
