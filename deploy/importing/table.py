"""A CSV file as rows with line numbers, and what its cells may hold."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HOURS = re.compile(r"(mon|tue|wed|thu|fri|sat|sun) (\d\d:\d\d)-(\d\d:\d\d)")


class WrongFile(Exception):
    """Nothing of the file can be used; the message says why in one line."""


class WrongRow(Exception):
    """This row cannot be brought in; the message names columns and rules, never what was said."""


@dataclass(frozen=True)
class Row:
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str | None:
        return self.cells[column].strip() or None

    def needed(self, column: str) -> str:
        text = self.text(column)
        if text is None:
            raise WrongRow(f"{column} is missing")
        return text

    def texts(self, column: str) -> list[str]:
        return [part.strip() for part in self.cells[column].split(";") if part.strip()]

    def number(self, column: str) -> int:
        text = self.needed(column)
        if not text.isascii() or not text.isdigit():
            raise WrongRow(f"{column} is not a whole number")
        return int(text)

    def hours(self, column: str) -> list[dict[str, Any]]:
        """Such as `mon 09:00-12:00;wed 13:00-17:00`."""
        return [_hours(column, part) for part in self.texts(column)]


def _hours(column: str, text: str) -> dict[str, Any]:
    found = _HOURS.fullmatch(text.lower())
    if found is None:
        raise WrongRow(f"{column} is not like mon 09:00-12:00;wed 13:00-17:00")
    day, begins, ends = found.groups()
    return {"day": day, "from": begins, "to": ends}


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
