"""One import from beginning to end: read, parse, bring in, and say what became of each row."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deploy.importing import appointments, organisations, pairs, peers, waiting
from deploy.importing.kinds import Kind
from deploy.importing.table import WrongFile, WrongRow, check_header, read, row_of
from deploy.region.api import Api

KINDS: dict[str, Kind] = {
    "organisations": organisations.KIND,
    "peers": peers.KIND,
    "pairs": pairs.KIND,
    "waiting": waiting.KIND,
    "appointments": appointments.KIND,
}
# As many as keep the services busy: each row waits for answers most of the time.
AT_ONCE = 8
# As many as one request takes.
IN_ONE = 50

T = TypeVar("T")
R = TypeVar("R")

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
    path: Path, kind_name: str | None, api: Api, *, dry: bool, show: Callable[[int, int], None]
) -> Report:
    """`show` is told how many of how many rows are done, whenever one is."""
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
        _bring(kind, api, parsed, report, show)
    return report


def _bring(
    kind: Kind,
    api: Api,
    parsed: list[tuple[int, Any]],
    report: Report,
    show: Callable[[int, int], None],
) -> None:
    """Bring all rows in, then complete each; what goes wrong in either is told by its line."""
    importer = kind.importer(api, [row for _, row in parsed])
    progress = _Progress(show, len(parsed))
    brought: list[tuple[int, Any, str]] = []

    def bring(rows: list[tuple[int, Any]]) -> list[Outcome]:
        outcomes = importer.bring_many([row for _, row in rows])
        if outcomes is not None:
            return list(outcomes)
        # Perhaps one of them is wrong: each by itself tells which.
        return [_told(importer.bring, row) for _, row in rows]

    def complete(done: tuple[int, Any, str]) -> Outcome:
        _, row, outcome = done
        return _told(importer.complete, row, outcome)

    batches = _batches(parsed, kind.together)
    for batch, outcomes in _side_by_side(bring, batches):
        for (line, row), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, WrongRow):
                report.wrong[line] = str(outcome)
                progress.note(2)
            else:
                brought.append((line, row, outcome))
                progress.note(1)
    for (line, _, _), outcome in _side_by_side(complete, brought):
        if isinstance(outcome, WrongRow):
            report.wrong[line] = str(outcome)
        else:
            report.outcomes[outcome] += 1
        progress.note(1)


Outcome = str | WrongRow


@dataclass
class _Progress:
    """Rows done, each being brought in and completed."""

    show: Callable[[int, int], None]
    of: int
    steps: int = 0

    def note(self, steps: int) -> None:
        before, self.steps = self.steps // 2, self.steps + steps
        if self.steps // 2 > before:
            self.show(self.steps // 2, self.of)


def _told(step: Callable[..., str], *given: Any) -> Outcome:
    try:
        return step(*given)
    except WrongRow as error:
        return error


def _batches(
    parsed: Sequence[tuple[int, Any]], together: Callable[[Any], str]
) -> list[list[tuple[int, Any]]]:
    grouped: dict[str, list[tuple[int, Any]]] = {}
    for line, row in parsed:
        grouped.setdefault(together(row), []).append((line, row))
    return [
        group[start : start + IN_ONE]
        for group in grouped.values()
        for start in range(0, len(group), IN_ONE)
    ]


def _side_by_side(step: Callable[[T], R], rows: Sequence[T]) -> Iterator[tuple[T, R]]:
    """Each with what came of it, in order; on Ctrl-C those not begun are left."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            yield from zip(rows, threads.map(step, rows), strict=True)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
