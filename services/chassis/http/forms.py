"""From a page's form to the body that a route's schema reads, and back from its problems."""

from collections.abc import Collection, Mapping
from typing import Any

from services.chassis.http.request import Form
from services.chassis.http.sessions import TOKEN_FIELD

_OWN = frozenset({TOKEN_FIELD, "version", "act"})


def as_body(form: Form, lists: Collection[str] = ()) -> dict[str, Any]:
    """Nest dotted names, such as `client.email`; what was left blank was not said."""
    body: dict[str, Any] = {}
    for name in form:
        values = [value.strip() for value in form.all(name) if value.strip()]
        if name in _OWN or not values:
            continue
        *above, last = name.split(".")
        place = body
        for part in above:
            place = place.setdefault(part, {})
        place[last] = values if name in lists else values[-1]
    return body


def errors_by_field(
    errors: Mapping[str, list[str]] | None, fields: Collection[str]
) -> dict[str, str]:
    """One sentence a field; what is wrong with one of a list is told at the list."""
    found: dict[str, str] = {}
    for path, messages in (errors or {}).items():
        name = path
        while name not in fields and "." in name:
            name = name.rpartition(".")[0]
        found.setdefault(name if name in fields else path, " ".join(messages))
    return found
