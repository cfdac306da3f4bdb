"""Keyset cursors: where the next page of a list begins, opaque to whoever sends it back.

A cursor stands in a URL, so it may hold times, ids and numbers, and nothing of a person.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from marshmallow import Schema, fields, validate

from services.chassis.problems import Invalid

T = TypeVar("T")
Value = datetime | UUID | int

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_MAX_CHARACTERS = 300


class PageSchema(Schema):
    """The query of a list; lists with filters inherit from it."""

    cursor = fields.String(load_default=None, validate=validate.Length(max=_MAX_CHARACTERS))
    limit = fields.Integer(
        load_default=DEFAULT_LIMIT, validate=validate.Range(min=1, max=MAX_LIMIT)
    )


def page_of(
    rows: Sequence[T], limit: int, position: Callable[[T], Sequence[Value]]
) -> tuple[list[T], str | None]:
    """The page, and the cursor of the next one; `rows` were read with a limit one higher."""
    page = list(rows[:limit])
    return page, encode(*position(page[-1])) if len(rows) > limit and page else None


def encode(*values: Value) -> str:
    """The cursor of these values, those that the list is sorted by."""
    plain = [value if isinstance(value, int) else _text(value) for value in values]
    return urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type[Any]) -> tuple[Any, ...]:
    """The values of a cursor; raise Invalid unless it was made from values of these kinds."""
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return tuple(_value(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Invalid({"cursor": ["Not a cursor of this list."]}) from None


def _text(value: datetime | UUID) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _value(kind: type[Any], value: Any) -> Any:
    if kind is datetime and isinstance(value, str):
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    elif kind is UUID and isinstance(value, str):
        return UUID(value)
    elif kind is int and type(value) is int and abs(value) < 2**63:
        return value
    raise ValueError("not of this kind")
