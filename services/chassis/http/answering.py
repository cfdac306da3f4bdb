"""From a handler's answer to what goes on the wire."""

import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

from marshmallow import Schema

from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.reading import schema_of
from services.chassis.http.request import Answer, entity_tag
from services.chassis.service import Route

JSON = "application/json"
HTML = "text/html; charset=utf-8"

# On every answer: people's data is cached nowhere, guessed at by nobody, and told to no other site.
ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def status_of(route: Route) -> int:
    """The status of the route's good answer; without anything to say, 204."""
    says_nothing = route.answer is None and not route.files
    return 204 if says_nothing and route.status == 200 else route.status


def api_answer(service: str, route: Route, raw: RawRequest, answer: Answer) -> RawResponse:
    """The answer of a route, its body by the route's schema; a list stands under `items`."""
    headers = {}
    if answer.version is not None:
        headers["ETag"] = entity_tag(answer.version)
    if answer.location is not None:
        headers["Location"] = _below_api(service, answer.location)
    if answer.next_cursor is not None:
        headers["Link"] = f'<{_next_page(raw, answer.next_cursor)}>; rel="next"'
    body = dumped(route.answer, answer.body, many=route.many)
    status = answer.status or (status_of(route) if body is None else route.status)
    return _whole(status, headers, answer, body)


def internal_answer(schema: type[Schema] | None, answer: Answer) -> RawResponse:
    body = dumped(schema, answer.body, many=False)
    return _whole(answer.status or 200, {}, answer, {} if body is None else body)


def page_answer(answer: Answer, policy: str) -> RawResponse:
    """A page, or with a location and no page, where to go next (303)."""
    headers = {"Content-Security-Policy": policy}
    if answer.set_cookie is not None:
        headers["Set-Cookie"] = answer.set_cookie
    if answer.html is None and answer.content is None and answer.location is not None:
        return RawResponse(
            status=answer.status or 303, headers={**headers, "Location": answer.location}
        )
    return _whole(answer.status or 200, headers, answer, None)


def dumped(schema: type[Schema] | None, body: Any, *, many: bool) -> Any:
    if schema is None or body is None:
        return body
    known = schema_of(schema)
    return {"items": known.dump(body, many=True)} if many else known.dump(body)


def _whole(status: int, headers: dict[str, str], answer: Answer, body: Any) -> RawResponse:
    if answer.html is not None:
        kind, content = HTML, answer.html.encode()
    elif answer.content is not None:
        kind, content = answer.content_type or "application/octet-stream", answer.content
    elif body is not None:
        kind, content = JSON, json.dumps(body, ensure_ascii=False, default=_text).encode()
    else:
        return RawResponse(status=status, headers=headers)
    if answer.file_name is not None:
        headers = {**headers, "Content-Disposition": f'attachment; filename="{answer.file_name}"'}
    return RawResponse(status=status, headers={"Content-Type": kind, **headers}, body=content)


def _below_api(service: str, location: str) -> str:
    """Handlers name a place as their routes do; outside it stands below /api/<service>."""
    return location if location.startswith("/api/") else f"/api/{service}{location}"


def _next_page(raw: RawRequest, cursor: str) -> str:
    kept = [pair for pair in parse_qsl(raw.query) if pair[0] != "cursor"]
    return f"{quote(raw.path)}?{urlencode([*kept, ('cursor', cursor)])}"


def _text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} needs a schema")
