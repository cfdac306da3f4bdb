"""What a service declares: its routes, pages, internal paths, events, timers and loops.

A declaration is plain data. `hosting` runs it, `http.openapi` and the generated documents
describe it, `deploy.topology` derives queues from it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from marshmallow import Schema

from services.chassis.roles import Role

if TYPE_CHECKING:
    from services.chassis.events import Received
    from services.chassis.http.request import Answer, Preparation, Request
    from services.chassis.internal import Directory
    from services.chassis.loops import LoopContext
    from services.chassis.problems import Problem
    from services.chassis.work import Work

SchemaClass = type[Schema]

KIBIBYTE = 1024

# In place of a caller's name: every service may ask, for the purposes stated.
ANY_SERVICE = "*"


@dataclass(frozen=True, kw_only=True)
class Route:
    """One path of the JSON API, below /api/<service>."""

    method: str
    path: str
    roles: frozenset[Role]
    handler: "Callable[[Request, Work], Answer]"
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    answer: type[Schema] | None = None
    many: bool = False
    status: int = 200
    prepare: "Callable[[Request, Preparation], Any] | None" = None
    errors: tuple[int, ...] = ()
    guarded: bool = False
    max_body_bytes: int = 64 * KIBIBYTE
    files: tuple[str, ...] = ()  # the media types of what is answered in place of JSON
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class InternalRoute:
    """One path for other services, below /internal, on the loopback port only.

    `callers` maps the calling service to the purposes that it may state.
    """

    method: str
    path: str
    callers: Mapping[str, frozenset[str]]
    handler: "Callable[[Request, Work], Answer]"
    body: type[Schema] | None = None
    answer: type[Schema] | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page for people, by its full outside path.

    With roles it is for whoever has signed in as one of them; without, a link's secret in the path
    is what admits, or it is open as the sign-in page is. `again` shows a form once more with what
    was typed, in a transaction of its own, where the handler raised what its reader can mend.
    `prepare` asks elsewhere before the transaction begins, as a route's does.
    With `max_file_bytes` its form may bring files of that size together.
    `menu` is the entry that leads here, by language; `is_start` puts it before the others, so that
    whoever may see it begins here.
    """

    method: str
    path: str
    handler: "Callable[[Request, Work], Answer]"
    roles: frozenset[Role] = frozenset()
    query: type[Schema] | None = None
    again: "Callable[[Request, Work, Problem], Answer] | None" = None
    prepare: "Callable[[Request, Preparation], Any] | None" = None
    menu: Mapping[str, str] | None = None
    is_start: bool = False
    max_file_bytes: int = 0
    files: tuple[str, ...] = ()  # the media types of what is answered in place of a page
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Consumed:
    """One type of event that the service handles.

    `asks` learns what the event does not carry from its owner, for a whole batch, before the
    transaction; what it gives for an event's id is the handler's `work.answer`.
    `overtakes` marks a terminal or revoking event: it does not wait behind a parked one.
    `together` marks a handler of runs: it is given a list of `Heard`, all the events of its type
    that follow each other in a batch, in order, so that it can read and write them set by set.
    """

    type: str
    source: str
    schema: "SchemaClass"
    handler: "Callable[[Any, Work], None]"
    asks: "Callable[[Sequence[Received], Directory], Mapping[UUID, Any]] | None" = None
    overtakes: bool = False
    together: bool = False
    name: str = ""

    @property
    def aggregate(self) -> str:
        return self.type.split(".", 1)[0]


@dataclass(frozen=True, kw_only=True)
class Recalled:
    """One type of the service's own events that a restored database is told again.

    The handler brings the state to what the event said; what follows from it was told as well,
    so nothing that it emits leaves.
    """

    type: str
    handler: "Callable[[Any, Work], None]"
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Work that is due again and again, in one replica at a time, for all organisations."""

    seconds: float
    handler: "Callable[[Work], None]"
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Work in a thread of its own, in every replica; opens its transactions itself.

    `wakes_on` is a channel of NOTIFY, a hint that saves waiting; the seconds are the truth.
    `patience` is how long it may be silent at most before it counts as stuck, where one step
    of it may take longer than the setting for all loops.
    """

    seconds: float
    run: "Callable[[LoopContext], None]"
    wakes_on: str | None = None
    patience: float = 0.0
    name: str = ""


Declaration = Route | InternalRoute | Page | Consumed | Recalled | Timer | Loop
D = TypeVar("D", bound=Declaration)


class Service:
    """Base of a service's table of contents; subclasses hold declarations as attributes."""

    name: ClassVar[str]
    publishes: ClassVar[Mapping[type, type[Schema]]] = {}

    @classmethod
    def declared(cls, kind: type[D]) -> list[D]:
        """Every declaration of a kind, in the order written, each knowing its attribute's name."""
        found = {
            name: value
            for base in reversed(cls.__mro__)
            for name, value in vars(base).items()
            if isinstance(value, kind)
        }
        return [replace(value, name=name) for name, value in found.items()]

    @classmethod
    def queues(cls) -> dict[str, list[Consumed]]:
        """What the service follows: its queue names, and the types it handles from each."""
        queues: dict[str, list[Consumed]] = {}
        for consumed in cls.declared(Consumed):
            queues.setdefault(f"{cls.name}.{consumed.aggregate}", []).append(consumed)
        return queues


def route(
    method: str,
    path: str,
    *,
    roles: Collection[Role],
    handler: "Callable[[Request, Work], Answer]",
    **more: Any,
) -> Route:
    return Route(method=method, path=path, roles=frozenset(roles), handler=handler, **more)


def internal(
    method: str,
    path: str,
    *,
    callers: Mapping[str, Collection[str]],
    handler: "Callable[[Request, Work], Answer]",
    **more: Any,
) -> InternalRoute:
    purposes = {caller: frozenset(stated) for caller, stated in callers.items()}
    return InternalRoute(method=method, path=path, callers=purposes, handler=handler, **more)


def page(
    method: str,
    path: str,
    *,
    handler: "Callable[[Request, Work], Answer]",
    roles: Collection[Role] = (),
    **more: Any,
) -> Page:
    return Page(method=method, path=path, handler=handler, roles=frozenset(roles), **more)


def consumes(
    type: str,  # noqa: A002  CloudEvents' own word
    *,
    source: str,
    schema: type[Schema],
    handler: "Callable[[Any, Work], None]",
    **more: Any,
) -> Consumed:
    return Consumed(type=type, source=source, schema=schema, handler=handler, **more)


def recalls(
    type: str,  # noqa: A002
    *,
    handler: "Callable[[Any, Work], None]",
) -> Recalled:
    return Recalled(type=type, handler=handler)


def every(*, seconds: float, handler: "Callable[[Work], None]") -> Timer:
    return Timer(seconds=seconds, handler=handler)


def repeatedly(*, seconds: float, run: "Callable[[LoopContext], None]", **more: Any) -> Loop:
    return Loop(seconds=seconds, run=run, **more)
