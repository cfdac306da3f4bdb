"""`kindred backup`, `restore` and `reconcile`: what they take and what they print."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.command import a_system, one_line_for_trouble
from deploy.machine import control
from deploy.machine.run_folder import CannotStart, RunFolder, write_atomically
from deploy.machine.running_system import RunningSystem
from deploy.topology import SERVICES
from services.chassis.log import configure

if TYPE_CHECKING:
    from deploy.restored_service import Gap


@click.command()
@one_line_for_trouble
def backup() -> None:
    """Copy every database, keys and secrets, and check the copy; old copies are removed.

    From then on the databases' log is archived, so that any later moment can be restored.
    """
    from deploy import backups  # noqa: PLC0415

    clock = time.monotonic()
    system = a_system()
    taken = backups.take(system)
    seconds = time.monotonic() - clock
    click.echo(f"{taken.path}: {taken.size / 2**20:.0f} MiB in {seconds:.1f} s, checked")
    for old in backups.prune(backups.folder_of(system.run), datetime.now(UTC)):
        click.echo(f"{old.path.name} is older than sent events are kept: removed")


@click.command()
@click.option("--to", "moment", metavar="TIME", help="RFC 3339; without it, the latest possible.")
@click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice(SERVICES),
    help="May be given repeatedly; without it, all.",
)
@one_line_for_trouble
def restore(moment: str | None, services: tuple[str, ...]) -> None:
    """Bring databases back to a moment, and tell them what was told since.

    In a running system the services named are stopped meanwhile and the others go on. Where the
    run folder is lost, everything is restored and started.
    """
    from deploy.restore import restore_machine, restore_services  # noqa: PLC0415

    at = _moment(moment)
    clock = time.monotonic()
    run = RunFolder.of_environment()
    if control.running(run) is None:
        if services:
            raise CannotStart("The system is not running: make up starts it.")
        run.create()
        with _logged(run):
            done = restore_machine(run, at)
        control.up(run)
    else:
        with _logged(run):
            done = restore_services(RunningSystem(run), services or SERVICES, at)
    seconds = time.monotonic() - clock
    click.echo(f"restored {', '.join(gap.service for gap in done.gaps)} from {done.backup.path}")
    told = sum(len(gap.forgotten) for gap in done.gaps)
    lost = sum(len(gap.lost) for gap in done.gaps)
    click.echo(
        f"recovery point {done.moment.isoformat()}: {done.seconds_back:.1f} s back, "
        f"{told} events forgotten, {told - lost} of them recalled"
    )
    for gap in done.gaps:
        _print_gap(gap)
    click.echo(f"every event of the gap is in {_write_gap(run, done.gaps)}")
    is_healed = _reconcile(RunningSystem(run))
    click.echo(f"recovery time {seconds:.1f} s until the services answered")
    sys.exit(0 if is_healed else 1)


@click.command()
@one_line_for_trouble
def reconcile() -> None:
    """Compare all that was sent with all that was received, and have sent again what lacks.

    Exit status: 0 nothing lacks any more, 1 something cannot be healed.
    """
    sys.exit(0 if _reconcile(a_system()) else 1)


@contextmanager
def _logged(run: RunFolder) -> Iterator[None]:
    """What handlers say meanwhile is for the log, not for the screen."""
    with run.log("kindred").open("a") as log:
        configure("kindred", log)
        yield


def _reconcile(system: RunningSystem) -> bool:
    from deploy.reconcile import reconcile as compare  # noqa: PLC0415

    found = []
    with _logged(system.run):
        for gap in compare(system):
            found.append(gap)
            click.echo(str(gap))
    left = sum(gap.remains is not None for gap in found)
    click.echo(f"{len(found)} gaps, {len(found) - left} healed, {left} not")
    return not left


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise click.UsageError("--to takes a time like 2026-11-25T09:30:00Z.") from None
    if moment and moment.tzinfo is None:
        raise click.UsageError("--to needs a zone, such as a Z at its end.")
    return moment


def _print_gap(gap: "Gap") -> None:
    click.echo(f"{gap.service} begins epoch {gap.epoch}")
    for type_, count in sorted(Counter(one.event["type"] for one in gap.forgotten).items()):
        click.echo(f"  forgotten {count} {type_}")
    for row in gap.lost:
        click.echo(f"  for staff: {row['type']} {row['aggregate_id']} #{row['sequence']}")
    for aggregate_id, aggregate, first, last in gap.unknown:
        click.echo(f"  without a record: {aggregate} {aggregate_id} #{first} to #{last}")
    for type_, count in sorted(gap.heard_again.items()):
        click.echo(f"  heard again {count} {type_}")
    if gap.parked:
        click.echo(f"  {gap.parked} of those are parked: kindred parked list")
    if gap.untold:
        click.echo(f"  {gap.untold} of its events had not left yet and leave now")


def _write_gap(run: RunFolder, gaps: "Iterable[Gap]") -> Path:
    """Identifiers only, a line for each event."""
    names = ("event_id", "type", "aggregate_id", "epoch", "sequence", "occurred_at")
    lines = [
        json.dumps(
            {
                "service": gap.service,
                **{name: str(one.event[name]) for name in names},
                "recalled": one.is_recalled,
            }
        )
        for gap in gaps
        for one in gap.forgotten
    ]
    path = run.logs / f"restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    write_atomically(path, "".join(line + "\n" for line in lines))
    return path
