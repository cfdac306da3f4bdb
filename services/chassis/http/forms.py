"""From a page's form to the body that a route's schema reads, and back from its problems."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Form, Request
from services.chassis.http.sessions import ONCE_FIELD, TOKEN_FIELD
from services.chassis.pages import Words
from services.chassis.problems import Forbidden, Invalid
from services.chassis.roles import Role
from services.chassis.service import Route
from services.chassis.work import Work

# How many steps of what has happened the page showed; whoever comes too late is told the others.
SEEN_FIELD = "seen"
_OWN = frozenset({TOKEN_FIELD, ONCE_FIELD, SEEN_FIELD, "version", "act"})


def as_body(form: Form, lists: Collection[str] = ()) -> dict[str, Any]:
    """Nest dotted names, such as `client.email`; what was left blank was not said.

    Raise Invalid where one name stands for a value and for what others are below.
    """
    body: dict[str, Any] = {}
    for name in form:
        values = [value.strip() for value in form.all(name) if value.strip()]
        if name in _OWN or not values:
            continue
        *above, last = name.split(".")
        place = body
        for part in above:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Invalid({name: ["Lies below another field."]})
        if last in place:
            raise Invalid({name: ["Others lie below this field."]})
        place[last] = values if name in lists else values[-1]
    return body


def errors_by_field(
    errors: Mapping[str, list[str]] | None, fields: Collection[str], words: Words
) -> dict[str, str]:
    """What is wrong with each field, in the reader's words; with one of a list, at the list."""
    found: dict[str, str] = {}
    for path, messages in (errors or {}).items():
        if path == "Idempotency-Key":
            continue  # `pages.in_the_way` tells it
        name = path
        while name not in fields and "." in name:
            name = name.rpartition(".")[0]
        told = " ".join(dict.fromkeys(map(words.mistake, messages)))
        found.setdefault(name if name in fields else path, told)
    return found


def role_of(request: Request) -> Role:
    """The role of whoever has signed in."""
    if request.caller is None:
        raise Forbidden
    return request.caller.role


def take_step(
    request: Request,
    work: Work,
    routes: Mapping[str, Route],
    lists: Collection[str] = (),
    *,
    path: Mapping[str, Any] | None = None,
) -> None:
    """Do what the form's `act` names, as its route of the API does and for whom that does it.

    `path` holds the route's own parameters, where they are not the page's.
    """
    route = routes.get(request.form.get("act", ""))
    if route is None:
        raise Invalid({"act": ["Not one of this page's steps."]})
    if role_of(request) not in route.roles:
        raise Forbidden
    errors: dict[str, list[str]] = {}
    sent = as_body(request.form, lists) if route.body else {}
    body = load(schema_of(route.body), sent, "body", errors)
    if errors:
        raise Invalid(errors)
    route.handler(replace(request, body=body, path=path or request.path), work)
