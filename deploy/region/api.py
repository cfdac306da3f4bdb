"""A small client of the outside interface: the gateway, a token, JSON, and the ETag rule."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import urllib3

from deploy.region.forms import Form
from deploy.region.system import System

_TIMEOUT = urllib3.Timeout(connect=3, read=15)
_STALE = 412
_TRIES_WHEN_STALE = 5


class Refused(Exception):
    """An answer that was not hoped for, told by its status and problem, without what was sent."""


@dataclass(frozen=True)
class Account:
    role: str
    account: str
    orgs: tuple[str, ...]
    person: str | None = None

    def told(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "account": self.account,
            "orgs": list(self.orgs),
            "person": self.person,
        }


@dataclass(frozen=True)
class Reply:
    asked: str
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def etag(self) -> str | None:
        return self.headers.get("ETag")

    @property
    def next(self) -> str | None:
        """The path of the next page, from `Link: <…>; rel="next"`."""
        link = self.headers.get("Link", "")
        return link.split(">")[0].lstrip("<") if 'rel="next"' in link else None

    def expect(self, *statuses: int) -> Self:
        if self.status in (statuses or (200, 201, 204)):
            return self
        problem = self.body if "json" in self.headers.get("Content-Type", "") else {}
        told = {name: problem[name] for name in ("type", "title", "errors") if name in problem}
        raise Refused(f"{self.asked} answered {self.status} {told}")


@dataclass
class Api:
    system: System
    pool: urllib3.HTTPConnectionPool = field(init=False)
    _tokens: dict[Account, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        address = urllib3.util.parse_url(self.system.gateway_url)
        self.pool = urllib3.HTTPConnectionPool(
            address.host or "127.0.0.1", address.port, maxsize=64, timeout=_TIMEOUT, retries=False
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        by: Account | None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request. A lost connection raises: only the caller knows what may be repeated."""
        sent = {"Accept": "application/json", **(headers or {})}
        if by is not None:
            sent["Authorization"] = f"Bearer {self._token(by)}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        content = json.dumps(body) if isinstance(body, dict | list) else body
        answer = self.pool.request(method, path, body=content, headers=sent)
        shown = "/l/…" if path.startswith("/l/") else path.partition("?")[0]
        return Reply(f"{method} {shown}", answer.status, answer.headers, answer.data)

    def get(self, path: str, *, by: Account, **query: Any) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path, by=by)

    def change(self, method: str, resource: str, *, by: Account, body: Any, at: str = "") -> Reply:
        """Change what exists: read its ETag first, and again when someone was faster.

        `at` is the action's name below the resource, such as `/accept`.
        """
        for _ in range(_TRIES_WHEN_STALE):
            etag = self.get(resource, by=by).expect(200).etag or "*"
            reply = self.call(
                method, f"{resource}{at}", by=by, body=body, headers={"If-Match": etag}
            )
            if reply.status != _STALE:
                break
        return reply

    def act(self, resource: str, action: str, *, by: Account, body: Any = None) -> Reply:
        return self.change("POST", resource, by=by, body=body or {}, at=f"/{action}")

    def all(self, path: str, *, by: Account, **query: Any) -> Iterator[Any]:
        """Every item of a list, page after page."""
        reply = self.get(path, by=by, limit=200, **query).expect(200)
        yield from items(reply.body)
        while reply.next:
            reply = self.call("GET", reply.next, by=by).expect(200)
            yield from items(reply.body)

    def show_link(self, path: str) -> Reply:
        return self.call("GET", path, by=None, headers={"Accept": "text/html"})

    def send_form(self, form: Form, path: str, *, button: int = 0, **fields: str) -> Reply:
        """Send a form of a link's page by one of its buttons."""
        sent = form.fields | fields
        if form.buttons and form.buttons[button][0]:
            sent |= dict([form.buttons[button]])
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "text/html",
        }
        return self.call(
            "POST", form.action or path, by=None, body=urlencode(sent), headers=headers
        )

    def _token(self, by: Account) -> str:
        if by not in self._tokens:
            self._tokens[by] = self.system.token(by.role, by.account, by.orgs, by.person)
        return self._tokens[by]


def items(body: Any) -> list[Any]:
    """The entries of a list answer."""
    return list(body["items"] if isinstance(body, dict) else body)
