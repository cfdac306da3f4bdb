"""One import from beginning to end: read, parse, bring in, and say what became of each row."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.importing import organisations, peers
from deploy.importing.kinds import Kind
from deploy.importing.table import WrongFile, WrongRow, check_header, read, row_of
from deploy.region.api import Api

KINDS: dict[str, Kind] = {"organisations": organisations.KIND, "peers": peers.KIND}

ALL_GOOD, NOTHING, PARTIAL = 0, 1, 3


@dataclass
class Report:
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        if not self.wrong:
            return ALL_GOOD
        return PARTIAL if self.outcomes.total() else NOTHING

    def summary(self) -> str:
        counts = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())]
        return ", ".join([*counts, f"{len(self.wrong)} not imported"])


def kind_of(name: str | None, header: list[str]) -> Kind:
    """The kind of that name, or the one whose columns the header has."""
    if name is not None:
        return KINDS[name]
    fitting = [kind for kind in KINDS.values() if set(kind.columns) == set(header)]
    if not fitting:
        raise WrongFile(f"The header fits no kind; say --kind {' or '.join(KINDS)}")
    return fitting[0]


def run(
    path: Path, kind_name: str | None, api: Api, *, dry: bool, say: Callable[[str], None]
) -> Report:
    header, records = read(path)
    kind = kind_of(kind_name, header)
    check_header(header, kind.columns)
    report = Report()
    parsed: list[tuple[int, Any]] = []
    for line, cells in records:
        try:
            parsed.append((line, kind.parse(row_of(header, line, cells))))
        except WrongRow as error:
            report.wrong[line] = str(error)
    if dry:
        report.outcomes["could be imported"] = len(parsed)
    elif parsed:
        _bring(kind, api, parsed, report, say)
    return report


def _bring(
    kind: Kind,
    api: Api,
    parsed: list[tuple[int, Any]],
    report: Report,
    say: Callable[[str], None],
) -> None:
    importer = kind.importer(api, [row for _, row in parsed])
    for number, (line, row) in enumerate(parsed, start=1):
        try:
            report.outcomes[importer.bring(row)] += 1
        except WrongRow as error:
            report.wrong[line] = str(error)
        if number % 1000 == 0:
            say(f"{number} of {len(parsed)} rows")
