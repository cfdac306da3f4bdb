"""From a method and a path to what answers; templates like /referrals/{referral_id}."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.chassis.problems import MethodNotAllowed, NotFound

Target = TypeVar("Target")
Target_co = TypeVar("Target_co", covariant=True)

_PARAMETER = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Entry(Generic[Target_co]):
    method: str
    template: str
    target: Target_co


@dataclass(frozen=True)
class Match(Generic[Target_co]):
    target: Target_co
    parameters: Mapping[str, str]


class Router(Generic[Target]):
    """Finds the entry for a request; a literal segment wins over a parameter."""

    def __init__(self, entries: Iterable[Entry[Target]]) -> None:
        self._by_path: dict[str, tuple[re.Pattern[str], dict[str, Entry[Target]]]] = {}
        for entry in sorted(entries, key=lambda entry: len(parameters_of(entry.template))):
            _, methods = self._by_path.setdefault(entry.template, (_pattern(entry.template), {}))
            if entry.method in methods:
                raise ValueError(f"{entry.method} {entry.template} is declared twice")
            methods[entry.method] = entry

    def match(self, method: str, path: str) -> Match[Target]:
        """The entry that answers; raise NotFound, or MethodNotAllowed with what would be."""
        for pattern, methods in self._by_path.values():
            found = pattern.fullmatch(path)
            if found is None:
                continue
            entry = methods.get("GET" if method == "HEAD" else method)
            if entry is None:
                raise MethodNotAllowed(_allowed(methods))
            return Match(entry.target, found.groupdict())
        raise NotFound


def parameters_of(template: str) -> list[str]:
    """The names of a template's parameters, in order."""
    return _PARAMETER.findall(template)


def _pattern(template: str) -> re.Pattern[str]:
    literals = _PARAMETER.split(template)
    parts = [
        f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part)
        for index, part in enumerate(literals)
    ]
    return re.compile("".join(parts))


def _allowed(methods: Mapping[str, object]) -> set[str]:
    return {*methods, "HEAD"} if "GET" in methods else set(methods)
