"""No value that JSON or a query can hold crashes a schema: it is read, or named as wrong."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from services.chassis.service import InternalRoute, Route, Service
from services.matching.service import Matching
from services.notifications.service import Notifications
from services.referrals.service import Referrals
from services.scheduling.service import Scheduling

EARLIEST, LATEST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"
HOSTILE: list[Any] = [
    *(None, True, 0, -1, 2**53 - 1, 1.5, 1e308, "", " ", "\n", "a" * 5000, "9" * 5000),
    *("\u0663", "0\u0669:30", "\u0661\u0668-24", "\u0661\u0660103", "\ufdfa" * 60, "1e400", "NaN"),
    *(EARLIEST, LATEST, "0001-01-01", "9999-12-31", "2026-02-30", "2026-11-23T24:00:00Z"),
    *("../../etc/passwd", "localtime", "America", "America.Indiana/Knox", "UTC\n", "en-" * 30),
    *('"\x01"@example.org', '""@example.org', "a@m\u00fcnchen.example", "a@example.org\r\nBcc: b"),
    *([], {}, [[]], [{}], [None], ["a"] * 300, {"a": {"b": []}}, {"day": [], "from": {}}),
]


SERVICES: tuple[type[Service], ...] = (Referrals, Matching, Scheduling, Notifications)
READ = {
    schema
    for service in SERVICES
    for route in service.declared(Route)
    for schema in (route.body, route.query)
} | {route.body for service in SERVICES for route in service.declared(InternalRoute)}


def planted(schema: Schema, value: Any) -> Iterator[dict[str, Any]]:
    """Bodies that hold the value in one field, at every depth."""
    for name, field in schema.fields.items():
        key = field.data_key or name
        yield {key: value}
        inner = field.inner if isinstance(field, fields.List) else field
        if inner is not field:
            yield {key: [value]}
        if isinstance(inner, fields.Nested):
            for body in planted(inner.schema, value):
                yield {key: [body] if inner is not field else body}


@pytest.mark.parametrize("schema", sorted(filter(None, READ), key=str))
def test_a_value_of_any_kind_is_read_or_named_as_wrong(schema: type[Schema]) -> None:
    for value in HOSTILE:
        for body in planted(schema(), value):
            with suppress(ValidationError):
                schema().load(body)
