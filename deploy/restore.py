"""Restoring services, or a lost machine, to a moment; nothing of what was told since goes unsaid.

The recovered copy is brought up to what was told since before it takes the place of what it
replaces. What is replaced is kept as `<service>_replaced` until the next restore of the service.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.as_service import own_dsn
from deploy.backups import Backup, archive_now, backup_before, folder_of, give_back_machine
from deploy.machine.databases import bring_up_to_date, make_database
from deploy.machine.postgres import ADMIN, PostgresServer
from deploy.machine.processes import Identity
from deploy.machine.run_folder import CannotStart, RunFolder, read_json, write_json
from deploy.machine.running_system import RunningSystem
from deploy.machine.service_processes import Place
from deploy.machine.unprivileged import unprivileged
from deploy.postgres_tools import run_tool
from deploy.recovery import recovered
from deploy.restored_service import Gap, Restoring
from deploy.topology import SERVICES

_PROCESS_SECONDS = 90.0


@dataclass(frozen=True)
class Restored:
    """What was restored, how far back that is, and what had been forgotten."""

    backup: Backup
    moment: datetime
    seconds_back: float
    gaps: Sequence[Gap]


def restore_services(
    system: RunningSystem, services: Sequence[str], moment: datetime | None
) -> Restored:
    """Restore the databases of some services while the others run."""
    began = datetime.now(UTC)
    if moment and moment > began:
        raise CannotStart("That moment has not come yet.")
    folder = folder_of(system.run)
    backup = backup_before(folder, moment)
    with held(system, services):
        archive_now(_dsn(system, ADMIN))
        with recovered(backup, folder.log, moment, _scratch(system.run)) as copy:
            for service in services:
                _load(copy, system, service)
        shutil.rmtree(_scratch(system.run))
        gaps = [_bring_up(system, service, folder.journals) for service in services]
        for service in services:
            _put_in_place(system, service)
    moment = moment or began
    back = (began - moment).total_seconds()
    return Restored(backup, moment, back, gaps)


def restore_machine(run: RunFolder, moment: datetime | None) -> Restored:
    """Restore what a lost run folder held: the cluster, keys and secrets. Nothing runs yet."""
    began = datetime.now(UTC)
    cluster = run.path / "postgres"
    if (cluster / "data").exists():
        raise CannotStart(f"{cluster} holds data: start it, or move it away.")
    folder = folder_of(run)
    backup = backup_before(folder, moment)
    give_back_machine(backup, run)
    system = RunningSystem(run)
    with recovered(backup, folder.log, moment, _scratch(run)) as copy:
        databases = {service: copy.dsn(service) for service in SERVICES}
        gaps = [
            Restoring(
                system=system,
                service=service,
                journals=folder.journals,
                admin_dsn=dsn,
                own_dsn=copy.dsn(service, service, system.secret(f"service {service}")),
                others=databases,
            ).bring_up()
            for service, dsn in databases.items()
        ]
    _move_cluster(copy, cluster, folder.log)
    known = max((gap.newest for gap in gaps if gap.newest), default=backup.ended)
    back = (began - (moment or known)).total_seconds()
    return Restored(backup, moment or known, back, gaps)


@contextmanager
def held(system: RunningSystem, services: Sequence[str]) -> Iterator[None]:
    """Keep the services' processes stopped for as long as the block lasts."""
    write_json(system.run.held, {"services": list(services)})
    try:
        _wait(lambda: not any(one.is_alive for one in _processes(system, services)), "ended")
        yield
    finally:
        system.run.held.unlink(missing_ok=True)
    _wait(lambda: all(place.is_ready() for place in _places(system, services)), "ready again")


def _processes(system: RunningSystem, services: Sequence[str]) -> list[Identity]:
    return [
        Identity(entry["pid"], entry["started"])
        for name, entry in read_json(system.run.ports).items()
        if name.partition(".")[0] in services
    ]


def _places(system: RunningSystem, services: Sequence[str]) -> list[Place]:
    places = []
    for name, entry in read_json(system.run.ports).items():
        service, _, rest = name.partition(".")
        if service in services:
            role, _, replica = rest.partition(".")
            places.append(Place(service, role, int(replica), entry["ports"]))
    return places


def _wait(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PROCESS_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise CannotStart(f"The services' processes are not {what}; see their logs.")
        time.sleep(0.1)


def _load(copy: PostgresServer, system: RunningSystem, service: str) -> None:
    """Copy the database beside the living one, by its tables' contents."""
    name = _restored(service)
    with psycopg.connect(_dsn(system, ADMIN), autocommit=True) as connection:
        _drop(connection, name)
        make_database(connection, name, service)
    dump = copy.folder / f"{service}.dump"
    run_tool("pg_dump", "--format=custom", f"--file={dump}", dsn=copy.dsn(service))
    options = ("--exit-on-error", "--single-transaction")
    run_tool("pg_restore", *options, dump, dsn=_dsn(system, name))
    dump.unlink()
    bring_up_to_date(_dsn(system, name), service)


def _bring_up(system: RunningSystem, service: str, journals: Path) -> Gap:
    name = _restored(service)
    others = {other: _dsn(system, other) for other in SERVICES if other != service}
    return Restoring(
        system=system,
        service=service,
        journals=journals,
        admin_dsn=_dsn(system, name),
        own_dsn=own_dsn(system, service, name),
        replaced_dsn=_dsn(system, service),
        others=others,
    ).bring_up()


def _put_in_place(system: RunningSystem, service: str) -> None:
    """The one step that cannot be half done: two names change together."""
    with psycopg.connect(_dsn(system, ADMIN), autocommit=True) as connection:
        _drop(connection, _replaced(service))
        for name in (service, _restored(service)):
            query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(query, (name,))
        with connection.transaction():
            for old, new in ((service, _replaced(service)), (_restored(service), service)):
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(old), sql.Identifier(new)))
    # Only the database in place lets its service in.
    with psycopg.connect(_dsn(system, ADMIN), autocommit=True) as connection:
        close = sql.SQL("REVOKE ALL ON DATABASE {} FROM {}")
        names = sql.Identifier(_replaced(service)), sql.Identifier(service)
        connection.execute(close.format(*names))


def _move_cluster(copy: PostgresServer, cluster: Path, log: Path) -> None:
    """The recovered data becomes the machine's; the archive learns of its new timeline."""
    cluster.mkdir(parents=True, exist_ok=True)
    account = unprivileged()
    account.own(cluster)
    copy.data.rename(cluster / "data")
    for history in (cluster / "data" / "pg_wal").glob("*.history"):
        if not (log / history.name).exists():
            shutil.copy2(history, log / history.name)
            account.own(log / history.name)
    shutil.rmtree(copy.folder)


def _drop(connection: psycopg.Connection, name: str) -> None:
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    connection.execute(drop.format(sql.Identifier(name)))


def _dsn(system: RunningSystem, database: str) -> str:
    return system.database_dsn(database, ADMIN, system.secret("postgres"))


def _restored(service: str) -> str:
    return f"{service}_restored"


def _replaced(service: str) -> str:
    return f"{service}_replaced"


def _scratch(run: RunFolder) -> Path:
    return run.path / "restoring"
