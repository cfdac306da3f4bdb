"""A CSV file as rows with line numbers, and what its cells may hold."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

_CLOCK = r"((?:[01]\d|2[0-3]):[0-5]\d|24:00)"
_HOURS = re.compile(rf"(mon|tue|wed|thu|fri|sat|sun) {_CLOCK}-{_CLOCK}")


class WrongFile(Exception):
    """Nothing of the file can be used; the message says why in one line."""


class WrongRow(Exception):
    """This row cannot be brought in; the message names columns and rules, never what was said."""


@dataclass(frozen=True)
class Row:
    """The cells of one record; what is wrong with them gathers in `problems`."""

    line: int
    cells: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse the row for every problem found until now."""
        if self.problems:
            raise WrongRow("; ".join(self.problems))

    def text(self, column: str) -> str | None:
        return self.cells[column].strip() or None

    def needed(self, column: str) -> str:
        text = self.text(column)
        if text is None:
            self.problems.append(f"{column} is missing")
        return text or ""

    def texts(self, column: str) -> list[str]:
        return [part.strip() for part in self.cells[column].split(";") if part.strip()]

    def number(self, column: str) -> int:
        text = self.needed(column)
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
        if text:
            self.problems.append(f"{column} is not a whole number")
        return 0

    def day(self, column: str) -> date | None:
        """Such as 2025-03-31."""
        text = self.needed(column)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.problems.append(f"{column} is not a day like 2025-03-31")
            return None

    def hours(self, column: str) -> list[dict[str, Any]]:
        """Such as `mon 09:00-12:00;wed 13:00-17:00`."""
        found = [_HOURS.fullmatch(part.lower()) for part in self.texts(column)]
        stretches = [stretch.groups() for stretch in found if stretch]
        if len(stretches) < len(found):
            self.problems.append(f"{column} is not like mon 09:00-12:00;wed 13:00-17:00")
        if any(begins >= ends for _, begins, ends in stretches):
            self.problems.append(f"{column} ends before it begins")
        return [{"day": day, "from": begins, "to": ends} for day, begins, ends in stretches]


def read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each record that is not empty with its line number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            records = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongFile(f"{path} cannot be read as CSV in UTF-8: {type(error).__name__}") from error
    if not records:
        raise WrongFile(f"{path} is empty")
    return [name.strip() for name in records[0][1]], records[1:]


def check_header(header: Sequence[str], columns: Sequence[str]) -> None:
    lacking = [name for name in columns if name not in header]
    strange = [name for name in header if name not in columns]
    if lacking or strange:
        told = f"The header should be {','.join(columns)}"
        told += f"; missing: {', '.join(lacking)}" if lacking else ""
        raise WrongFile(told + (f"; not known: {', '.join(strange)}" if strange else ""))


def row_of(header: Sequence[str], line: int, cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        raise WrongRow(f"{len(cells)} cells where the header has {len(header)}")
    return Row(line, dict(zip(header, cells, strict=True)))
