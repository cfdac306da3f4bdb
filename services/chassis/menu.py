"""The menu of the pages: which entries a role has, across all services."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.roles import Role
from services.chassis.service import Page, Service


@dataclass(frozen=True)
class MenuEntry:
    path: str
    titles: Mapping[str, str]
    roles: frozenset[Role]

    def title(self, language: str) -> str:
        return self.titles[language]


@dataclass(frozen=True)
class Menu:
    entries: Sequence[MenuEntry] = ()

    @classmethod
    def read(cls, path: Path | None) -> "Menu":
        """What `told` wrote; without a file, a menu of nothing."""
        found = json.loads(path.read_text()) if path else []
        return cls(
            [
                MenuEntry(one["path"], one["titles"], frozenset(map(Role, one["roles"])))
                for one in found
            ]
        )

    def of(self, role: Role) -> list[MenuEntry]:
        return [entry for entry in self.entries if role in entry.roles]


def told(services: Iterable[type[Service]]) -> list[dict[str, Any]]:
    """The entries that the services' pages declare: where one starts, then as declared."""
    declared = [page for service in services for page in service.declared(Page) if page.menu]
    return [
        {"path": page.path, "titles": dict(page.menu or {}), "roles": sorted(page.roles)}
        for page in sorted(declared, key=lambda page: not page.is_start)
    ]
