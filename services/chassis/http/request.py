"""What a handler is given, and what it gives back."""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from services.chassis.problems import PreconditionFailed, PreconditionRequired
from services.chassis.roles import STAFF, Role

if TYPE_CHECKING:
    from services.chassis.help_lines import Help
    from services.chassis.http.sessions import Session
    from services.chassis.internal import Directory
    from services.chassis.menu import MenuEntry
    from services.chassis.work import Work, Workplace

T = TypeVar("T")

_ENTITY_TAG = re.compile(r'(W/)?"([^"]*)"')


@dataclass(frozen=True)
class Caller:
    """Whoever a valid token speaks for."""

    subject: str
    role: Role
    orgs: frozenset[UUID] = frozenset()
    person: UUID | None = None

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF


class Form(dict[str, str]):
    """A page's form: of a name sent several times, the last; `all` gives each."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = list(pairs)
        super().__init__(self._pairs)

    def pairs(self) -> list[tuple[str, str]]:
        return self._pairs

    def without(self, name: str) -> "Form":
        return Form((sent, value) for sent, value in self._pairs if sent != name)

    def only(self, names: Container[str]) -> "Form":
        return Form((sent, value) for sent, value in self._pairs if sent in names)

    def all(self, name: str) -> list[str]:
        return [value for sent, value in self._pairs if sent == name]


@dataclass(frozen=True)
class Request:
    """One request whose every part was read by its schema."""

    caller: Caller | None = None
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    form: Form = field(default_factory=Form)
    if_match: str | None = None
    purpose: str | None = None
    language: str = "en"
    cookie: str = ""
    signing_in: str = ""
    visit: "Visit | None" = None

    def expects(self, version: int) -> None:
        """Refuse unless the caller saw this version; only staff must say what they saw.

        `If-Match: *` names no version, so it counts as not saying.
        """
        if self.if_match is None or self.if_match.strip() == "*":
            if self.caller is not None and self.caller.is_staff:
                raise PreconditionRequired
            return
        strong = {tag for weak, tag in _ENTITY_TAG.findall(self.if_match) if not weak}
        if str(version) not in strong:
            raise PreconditionFailed


@dataclass(frozen=True)
class Visit:
    """A signed-in person's visit to a page: what the page's frame shows and its forms carry."""

    session: "Session"
    form_token: str
    menu: "Sequence[MenuEntry]"
    path: str
    # Whom to call in need, on the pages of peers and clients.
    help: "Help | None" = None
    # Goes with every form of this showing, so that it is done once however often it is sent.
    once: str = field(default_factory=lambda: token_hex(16))


@dataclass(frozen=True)
class Answer:
    """What becomes of a request: a body for the route's schema, or a page, or bytes as they are.

    Bytes with a `file_name` of our own choosing are kept as a file and never shown as a page.
    """

    body: Any = None
    status: int | None = None
    version: int | None = None
    location: str | None = None
    next_cursor: str | None = None
    html: str | None = None
    content: bytes | None = None
    content_type: str | None = None
    file_name: str | None = None
    set_cookie: str | None = None


class Read(Protocol):
    """Runs a question in a short read-only transaction of its own."""

    def __call__(self, question: "Callable[[Work], T]") -> T: ...


@dataclass(frozen=True)
class Preparation:
    """What `prepare` may use before the transaction begins: other services, and a look inside."""

    directory: "Directory"
    read: Read
    workplace: "Workplace"


def entity_tag(version: int) -> str:
    return f'"{version}"'
