"""All that one port answers; every answer, of whatever kind, leaves through `handle`.

A web server hands over a RawRequest and sends back the RawResponse as it is. What it must
hand over is told there. It may call `handle` from many threads or green threads at once.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from uuid import uuid4

from services.chassis import metrics, pages
from services.chassis.http import health, openapi
from services.chassis.http.answering import ALWAYS, HTML
from services.chassis.http.health import Endpoint
from services.chassis.http.pipeline import Pipeline
from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.reading import language_of
from services.chassis.http.routing import Entry, Match, Router
from services.chassis.log import get_log
from services.chassis.problems import InternalError, Problem, problem_response
from services.chassis.reconcile import ROUTES
from services.chassis.service import InternalRoute, Page, Route
from services.chassis.work import Workplace

Target = Route | InternalRoute | Page | Endpoint

REQUEST_ID = "x-request-id"
MAX_DRAINED_BYTES = 1024 * 1024

log = get_log(__name__)

# Only ids pass through, so that nothing typed by anybody gets into logs by way of this header.
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Application:
    """Finds what answers a request, and gives every answer its headers."""

    def __init__(self, pipeline: Pipeline, entries: Iterable[Entry[Target]]) -> None:
        self.pipeline = pipeline
        self.router = Router(entries)

    def handle(self, raw: RawRequest) -> RawResponse:
        """The answer to any request whatsoever; raises nothing."""
        began = perf_counter()
        given = raw.header(REQUEST_ID) or ""
        request_id = given if _ID.fullmatch(given) else uuid4().hex
        name, response = self._respond(raw, request_id)
        _drain(raw)
        metrics.HTTP_SECONDS.labels(name, str(response.status)).observe(perf_counter() - began)
        headers = {**ALWAYS, **response.headers, "X-Request-Id": request_id}
        body = b"" if raw.method == "HEAD" else response.body
        return replace(response, headers=headers, body=body)

    def _respond(self, raw: RawRequest, request_id: str) -> tuple[str, RawResponse]:
        """The name for metrics, and the answer."""
        target: Target | None = None
        try:
            match = self.router.match(raw.method, raw.path)
            target = match.target
            return _name(target), self._answer(match, raw)
        except Problem as problem:
            return _name(target), self._told(problem, target, raw)
        except Exception as error:  # noqa: BLE001  the last wall: a bug is told by its id alone
            return _name(target), self._told(_recorded(error, target, request_id), target, raw)

    def _answer(self, match: Match[Target], raw: RawRequest) -> RawResponse:
        target = match.target
        if isinstance(target, Route | InternalRoute | Page):
            return self.pipeline.respond(target, raw, match.parameters)
        return target()

    def _told(self, problem: Problem, target: Target | None, raw: RawRequest) -> RawResponse:
        """The problem as JSON; to somebody who opened a page, as a page in their language."""
        response = problem_response(problem)
        if not isinstance(target, Page) or "text/html" not in (raw.header("accept") or "text/html"):
            return response
        whole = self.pipeline.workplace.settings.help_lines
        in_need = whole and whole.of(())
        html = pages.problem_page(problem, language_of(raw.header("accept-language")), in_need)
        headers = {
            **response.headers,
            "Content-Type": HTML,
            "Content-Security-Policy": pages.POLICY,
        }
        return RawResponse(status=response.status, headers=headers, body=html.encode())


def public_application(pipeline: Pipeline) -> Application:
    """What the gateway forwards to a service: its API, its pages, its health and its document."""
    service = pipeline.workplace.service
    document = openapi.json_document(service)
    api = f"/api/{service.name}"
    return Application(
        pipeline,
        [
            *(Entry(one.method, f"{api}{one.path}", one) for one in service.declared(Route)),
            *(Entry(one.method, one.path, one) for one in service.declared(Page)),
            Entry("GET", f"{api}/openapi.json", lambda: document),
            *_health(pipeline.workplace, f"/health/{service.name}"),
        ],
    )


def internal_application(pipeline: Pipeline) -> Application:
    """What answers on the loopback port: other services' questions, metrics, health."""
    routes = [*pipeline.workplace.service.declared(InternalRoute), *ROUTES]
    return Application(
        pipeline,
        [
            *(Entry(one.method, f"/internal{one.path}", one) for one in routes),
            Entry("GET", "/metrics", health.metrics),
            *_health(pipeline.workplace, "/health"),
        ],
    )


def _health(workplace: Workplace, prefix: str) -> list[Entry[Target]]:
    return [
        Entry("GET", f"{prefix}/live", health.live),
        Entry("GET", f"{prefix}/ready", health.readiness(workplace)),
    ]


def _name(target: Target | None) -> str:
    """A label with few values: never the path, which may hold an id or a secret."""
    if target is None:
        return "none"
    return target.name if isinstance(target, Route | InternalRoute | Page) else "chassis"


def _drain(raw: RawRequest) -> None:
    """Read what nobody read of the body: a connection closed on unread bytes loses the answer."""
    if raw.header("content-length") or raw.header("transfer-encoding"):
        with suppress(ValueError, OSError):
            raw.read_body(MAX_DRAINED_BYTES)


def _recorded(error: Exception, target: Target | None, request_id: str) -> InternalError:
    """The bug in the log, and the id that finds it there."""
    error_id = uuid4()
    name = _name(target)
    log.error("request_crashed", error=error, error_id=error_id, request=request_id, route=name)
    return InternalError(str(error_id))
