"""The OpenAPI 3.1 document of a service, made from its declarations: complete, and served by it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from services.chassis import problems
from services.chassis.http.answering import status_of
from services.chassis.http.idempotency import WRITES
from services.chassis.http.raw import RawResponse
from services.chassis.http.routing import parameters_of
from services.chassis.http.sessions import COOKIE
from services.chassis.problems import Problem
from services.chassis.roles import STAFF
from services.chassis.service import Page, Route, Service

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `errors` lists every problem by the dotted path of its field.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
_HEADERS = {
    "ETag": "The version of what was read or changed; send it in If-Match.",
    "Location": "Where the new resource is.",
    "Link": 'The next page, as rel="next".',
    "Retry-After": "Seconds to wait before the request is sent again.",
    "Allow": "The methods that this path knows.",
    "Content-Disposition": "The file is for keeping, and what to call it.",
    "X-Request-Id": "Names this request in our logs.",
    "Idempotency-Replayed": "`true` where the answer of an earlier, equal request is given again.",
}
_PROBLEM_HEADERS = {405: "Allow", 409: "Retry-After", 503: "Retry-After"}
_PROBLEMS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        problems.InternalError,
        problems.BadRequest,
        problems.Unauthorized,
        problems.Forbidden,
        problems.NotFound,
        problems.Conflict,
        problems.Gone,
        problems.PreconditionFailed,
        problems.TooLarge,
        problems.UnsupportedMediaType,
        problems.Invalid,
        problems.PreconditionRequired,
        problems.Unavailable,
    )
}
_ALWAYS = (400, 401, 403, 404, 422, 500, 503)
_ON_WRITES = (409, 413, 415)
_ON_GUARDED = (412, 428)


def document(service: type[Service]) -> dict[str, Any]:
    """Everything the service's public port answers by declaration."""
    spec = APISpec(
        title=f"Kindred: {service.name}",
        version="1",
        openapi_version="3.1.0",
        info={"description": "Times are RFC 3339 in UTC. Unknown fields are refused."},
        plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)],
    )
    _add_components(spec)
    for route in service.declared(Route):
        path = f"/api/{service.name}{route.path}"
        operation = _operation(service, route)
        spec.path(path, operations={route.method.lower(): operation}, parameters=_path(path))
    for page in service.declared(Page):
        operations = {page.method.lower(): _page_operation(page)}
        spec.path(page.path, operations=operations, parameters=_path(page.path))
    made: dict[str, Any] = spec.to_dict()
    return made


def json_document(service: type[Service]) -> RawResponse:
    """The document as it is served."""
    body = json.dumps(document(service), ensure_ascii=False).encode()
    return RawResponse(status=200, headers={"Content-Type": "application/json"}, body=body)


def statuses_of(route: Route) -> list[int]:
    """Every status that the route may answer, the good one first."""
    refusals = {*_ALWAYS, *route.errors}
    if route.method in WRITES:
        refusals |= set(_ON_WRITES)
    if route.guarded:
        refusals |= set(_ON_GUARDED)
    return [status_of(route), *sorted(refusals)]


def _add_components(spec: APISpec) -> None:
    spec.components.schema("Problem", _PROBLEM)
    spec.components.security_scheme(
        "session",
        {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": "Who has signed in at /sign-in; for pages only.",
        },
    )
    spec.components.security_scheme(
        "token",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Claims: sub, role, orgs, person, aud, exp.",
        },
    )
    for name, description in _HEADERS.items():
        spec.components.header(name, {"description": description, "schema": {"type": "string"}})
    for status, kind in _PROBLEMS.items():
        headers = ["X-Request-Id", *filter(None, [_PROBLEM_HEADERS.get(status)])]
        spec.components.response(
            f"Problem{status}",
            {
                "description": _title(kind),
                "headers": {name: name for name in headers},
                "content": {problems.CONTENT_TYPE: {"schema": "Problem"}},
            },
        )
    spec.components.parameter(
        "IdempotencyKey",
        "header",
        {
            "name": "Idempotency-Key",
            "description": "Sent again within 24 hours, the same request is done only once.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    )
    spec.components.parameter(
        "IfMatch",
        "header",
        {
            "name": "If-Match",
            "description": "The ETag that was seen. Needed from: " + ", ".join(sorted(STAFF)) + ".",
            "schema": {"type": "string"},
        },
    )


def _operation(service: type[Service], route: Route) -> dict[str, Any]:
    good, *refusals = statuses_of(route)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": _words(route.name),
        "tags": [service.name],
        "security": [{"token": []}],
        "x-roles": sorted(route.roles),
        "parameters": list(_parameters(route)),
        "responses": {
            str(good): _good_response(route),
            **{str(status): _refusal(status) for status in refusals},
        },
    }
    description = _first_paragraph(route.handler)
    if description:
        operation["description"] = description
    if route.body is not None and route.method in WRITES:
        operation["requestBody"] = {
            "required": _needs_fields(route.body),
            "content": {"application/json": {"schema": route.body}},
        }
    return operation


def _parameters(route: Route) -> Iterator[Any]:
    if route.query is not None:
        yield {"in": "query", "schema": route.query}
    if route.method in WRITES:
        yield "IdempotencyKey"
    if route.guarded:
        yield "IfMatch"


def _good_response(route: Route) -> dict[str, Any]:
    headers = ["X-Request-Id"]
    if route.guarded or route.method in ("GET", "POST", "PUT", "PATCH"):
        headers.append("ETag") if not route.many else headers.append("Link")
    if route.status == 201:
        headers.append("Location")
    if route.method in WRITES:
        headers.append("Idempotency-Replayed")
    response: dict[str, Any] = {
        "description": "Done.",
        "headers": {name: name for name in headers},
    }
    if route.answer is not None:
        schema = _list_of(route.answer) if route.many else route.answer
        response["content"] = {"application/json": {"schema": schema}}
    elif route.files:
        response["headers"]["Content-Disposition"] = "Content-Disposition"
        response["content"] = {media_type: {} for media_type in route.files}
    return response


def _list_of(schema: type[Schema]) -> dict[str, Any]:
    items = {"type": "array", "items": schema}
    return {"type": "object", "required": ["items"], "properties": {"items": items}}


def _page_operation(page: Page) -> dict[str, Any]:
    """A page's forms carry what their page hid in them, so nobody writes them by hand."""
    html: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
    problem = html | {problems.CONTENT_TYPE: {"schema": "Problem"}}
    acts = page.method == "POST"
    refusals = {403, 404, 410, 422, 500, 503, *((409, 413, 415) if acts else ())}
    if page.roles:
        refusals |= {401, 412}
    operation: dict[str, Any] = {
        "operationId": page.name,
        "summary": _words(page.name),
        "tags": ["pages"],
        "security": [{"session": []}] if page.roles else [],
        "responses": {
            "200": {"description": "A page.", "content": html},
            "303": {"description": "Where to go on.", "headers": {"Location": "Location"}},
            **{
                str(status): {"description": _title(_PROBLEMS[status]), "content": problem}
                for status in sorted(refusals)
            },
        },
    }
    if page.roles:
        operation["x-roles"] = sorted(page.roles)
    if acts:
        form = {"type": "object", "additionalProperties": {"type": "string"}}
        content = {"application/x-www-form-urlencoded": {"schema": form}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _refusal(status: int) -> Any:
    return f"Problem{status}" if status in _PROBLEMS else {"description": "A problem."}


def _path(path: str) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": {"type": "string", **({"format": "uuid"} if name.endswith("id") else {})},
        }
        for name in parameters_of(path)
    ]


def _title(kind: type[Problem]) -> str:
    return f"{getattr(kind, 'title', None) or 'A rule does not allow this now'}."


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _first_paragraph(handler: Callable[..., Any]) -> str | None:
    return re.split(r"\n\s*\n", handler.__doc__.strip())[0] if handler.__doc__ else None


def _needs_fields(schema: type[Schema]) -> bool:
    return any(field.required for field in schema().fields.values())


def _schema_name(schema: Any) -> str:
    """The class's name without its suffix; none for one narrowed where it is used."""
    if isinstance(schema, Schema) and (schema.only or schema.exclude or schema.partial):
        return ""
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__).removesuffix("Schema")
