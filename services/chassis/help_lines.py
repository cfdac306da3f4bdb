"""Whom somebody in need can call, by area, as the operator's file says it."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.chassis.organisations import known

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from services.chassis.work import Work


@dataclass(frozen=True)
class HelpLine:
    """A line of one area, or of the whole region where `area` is None."""

    area: str | None
    phone: str
    name: Mapping[str, str]
    says: Mapping[str, str]


@dataclass(frozen=True)
class Help:
    """What the foot of a page tells a client or a peer; names and words by language.

    `exit` is where "exit this page" leads: a page that tells nobody what was read before.
    """

    lines: Sequence[HelpLine]
    on_call: Mapping[str, str]
    exit: str

    @classmethod
    def read(cls, path: Path) -> "Help":
        """Raise KeyError, TypeError or ValueError where the file is not as it must be."""
        told: dict[str, Any] = json.loads(path.read_text())
        lines = [HelpLine(**line) for line in told["lines"]]
        if not any(line.area is None for line in lines):
            raise ValueError("no line for the whole region")
        return cls(lines, told["on_call"], told["exit"])

    def of(self, areas: Collection[str | None]) -> "Help":
        """With the lines of the whole region and of these areas."""
        lines = [line for line in self.lines if line.area is None or line.area in areas]
        return Help(lines, self.on_call, self.exit)


def help_of(work: "Work", org_ids: "Iterable[UUID]") -> Help | None:
    """For somebody who belongs to these organisations; None where the operator has no file."""
    whole = work.settings.help_lines
    return whole and whole.of({row["area"] for row in known(work, org_ids).values()})
