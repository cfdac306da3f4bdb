"""What can be imported: the columns of each kind, and how a row reaches the API."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid5

from deploy.importing.table import Row, WrongRow
from deploy.region.api import Account, Api, Reply

ADDED, CHANGED, UNCHANGED = "added", "changed", "unchanged"
REPEATED = "repeated"  # a later row of the file says otherwise, and it is the one that counts
_NAMESPACE = UUID("6f1f6a0e-6f0c-5c0e-9b52-5d2a3f6a4c11")  # of the keys that make a repeat harmless


class Importer(Protocol):
    def bring(self, row: Any) -> str:
        """Bring one parsed row in; tell whether it was added, changed or already so."""
        ...

    def bring_many(self, rows: Sequence[Any]) -> Sequence[str] | None:
        """Bring several in by one request; None where each has to be brought by itself."""
        ...

    def complete(self, row: Any, outcome: str) -> str:
        """Add what belongs to a row that was brought in, when all of them were."""
        ...


@dataclass(frozen=True)
class Kind:
    """`together` says which rows may travel in one request: those for which it gives the same."""

    columns: tuple[str, ...]
    meaning: str
    parse: Callable[[Row], Any]
    importer: Callable[[Api, Iterable[Any]], Importer]
    together: Callable[[Any], str] = str


def put(api: Api, path: str, body: dict[str, Any], *, by: Account) -> str:
    """Make it so, whether it is new, different or already so."""
    there = api.get(path, by=by)
    if there.status == 404:
        accepted(api.call("PUT", path, by=by, body=body))
        return ADDED
    if not differing(body, accepted(there).body):
        return UNCHANGED
    accepted(api.change("PUT", path, by=by, body=body))
    return CHANGED


def accepted(reply: Reply) -> Reply:
    """The answer, or the API's own words on what is wrong with the row."""
    if reply.status in {200, 201, 204}:
        return reply
    problem = reply.body if "json" in reply.headers.get("Content-Type", "") else {}
    errors = problem.get("errors") or {}
    told = [f"{field}: {' '.join(map(str, texts))}" for field, texts in errors.items()]
    raise WrongRow("; ".join(told) or f"{reply.status} {problem.get('title', '')}".strip())


def differing(wanted: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if there.get(name) != value}


def same_key(*parts: object) -> str:
    """The Idempotency-Key of a row: the same row gives the same key at every import."""
    return str(uuid5(_NAMESPACE, "\n".join(map(repr, parts))))


def uuid_of(row: Row, column: str) -> str:
    text = row.needed(column)
    try:
        return str(UUID(text))
    except ValueError:
        if text:
            row.problems.append(f"{column} is not a UUID")
        return ""
