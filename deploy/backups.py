"""Base backups of the database server with what belongs to it: taken, checked, found, removed.

A backup is a folder below `base`, named by the time it began: `cluster`, `machine` with the keys
and secrets, and `backup.json`, which is written last; without it the folder is no backup.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from deploy.machine.backup_folder import BackupFolder
from deploy.machine.postgres import ADMIN
from deploy.machine.private_files import Secrets
from deploy.machine.run_folder import CannotStart, RunFolder, read_json, whole_number, write_json
from deploy.machine.running_system import RunningSystem
from deploy.machine.unprivileged import unprivileged
from deploy.postgres_tools import run_tool

# Beside the databases, all that cannot be made anew: passwords, signing keys, demo accounts.
_OF_THE_MACHINE = ("secrets.json", "keys", "demo.json")


@dataclass(frozen=True)
class Backup:
    path: Path

    @property
    def cluster(self) -> Path:
        return self.path / "cluster"

    @property
    def machine(self) -> Path:
        return self.path / "machine"

    @property
    def ended(self) -> datetime:
        """From here on any moment can be restored."""
        return datetime.fromisoformat(read_json(self.path / "backup.json")["ended"])

    @property
    def is_whole(self) -> bool:
        return (self.path / "backup.json").exists()

    @property
    def size(self) -> int:
        return sum(file.lstat().st_size for file in self.path.rglob("*") if file.is_file())


def folder_of(run: RunFolder) -> BackupFolder:
    """The running or stopped system's; of a lost one, the folder with the newest backup."""
    secrets = run.path / "secrets.json"
    if secrets.exists():
        return BackupFolder.of(run.backups, Secrets(secrets))
    found = [BackupFolder(path) for path in run.backups.glob("*") if (path / "base").is_dir()]
    with_backups = [folder for folder in found if backups_in(folder)]
    if not with_backups:
        raise CannotStart(f"There is no backup in {run.backups}.")
    return max(with_backups, key=lambda folder: backups_in(folder)[-1].ended)


def backups_in(folder: BackupFolder) -> list[Backup]:
    """Whole ones, the oldest first."""
    found = (Backup(path) for path in sorted(folder.base.glob("*")))
    return [backup for backup in found if backup.is_whole]


def backup_before(folder: BackupFolder, moment: datetime | None) -> Backup:
    """The newest backup that the moment can be reached from."""
    fitting = [one for one in backups_in(folder) if moment is None or one.ended <= moment]
    if not fitting:
        until = f" that ended before {moment.isoformat()}" if moment else ""
        raise CannotStart(f"There is no backup{until} in {folder.base}.")
    return fitting[-1]


def take(system: RunningSystem) -> Backup:
    """Copy the whole cluster while it runs, check the copy, and add keys and secrets."""
    folder = folder_of(system.run)
    folder.create()
    folder.log.mkdir(mode=0o700, exist_ok=True)  # from now on segments are archived
    unprivileged().own(folder.log)
    backup = Backup(folder.base / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    backup.path.mkdir(mode=0o700)
    secret = system.secret("postgres")
    run_tool(
        "pg_basebackup",
        f"--pgdata={backup.cluster}",
        "--checkpoint=fast",
        "--wal-method=stream",
        dsn=system.database_dsn(ADMIN, ADMIN, secret),
    )
    ended = datetime.now(UTC)
    run_tool("pg_verifybackup", backup.cluster)
    backup.machine.mkdir(mode=0o700)
    for name in _OF_THE_MACHINE:
        _copy(system.run.path / name, backup.machine / name)
    write_json(backup.path / "backup.json", {"ended": ended.isoformat()})
    return backup


def give_back_machine(backup: Backup, run: RunFolder) -> None:
    """Put keys and secrets where a lost system had them."""
    for name in _OF_THE_MACHINE:
        _copy(backup.machine / name, run.path / name)


def prune(folder: BackupFolder, now: datetime) -> list[Backup]:
    """Remove backups older than what sent events cover, and the log before the oldest one left.

    An older one could not be reconciled any more. The newest stays, however old.
    """
    days = whole_number("KINDRED_SENT_DAYS", 35, 1, 3650)
    whole = backups_in(folder)
    old = [one for one in whole[:-1] if one.ended < now - timedelta(days=days)]
    for backup in old:
        shutil.rmtree(backup.path)
    kept = [one for one in whole if one not in old]
    for path in folder.base.glob("*"):
        if kept and Backup(path) not in kept and path.name < kept[-1].path.name:
            shutil.rmtree(path)  # begun and never ended
    if kept:
        _forget_log(folder.log, kept[0])
    return old


def _forget_log(log: Path, oldest: Backup) -> None:
    label = (oldest.cluster / "backup_label").read_text()
    start = re.search(r"\(file ([0-9A-F]{24})\)", label)
    if start:
        run_tool("pg_archivecleanup", log, start[1])


def archive_now(dsn: str) -> None:
    """Have everything committed until now in the archive."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        # A commit of our own, so that there is one after whatever moment is restored to.
        connection.execute("SELECT pg_current_xact_id()")
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        segment = str(row[0]) if row else ""
        _wait_for_segment(connection, segment)


def _wait_for_segment(connection: "psycopg.Connection[tuple[object, ...]]", segment: str) -> None:
    query = "SELECT pg_sleep(0.1), last_archived_wal >= %s FROM pg_stat_archiver"
    for _ in range(600):
        row = connection.execute(query, (segment,)).fetchone()
        if row and row[1]:
            return
    raise CannotStart(f"The database's log is not archived: {segment} does not come.")


def _copy(origin: Path, to: Path) -> None:
    """Modes are kept: what only its owner reads stays so."""
    if origin.is_dir():
        shutil.copytree(origin, to, dirs_exist_ok=True)
    elif origin.exists():
        shutil.copy2(origin, to)
