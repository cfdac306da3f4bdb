"""The database server as it was at a moment: a copy recovered from a backup and the archive."""

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from deploy.backups import Backup
from deploy.machine.ledger import Ledger
from deploy.machine.ports import FreePorts
from deploy.machine.postgres import PostgresServer
from deploy.machine.private_files import Secrets
from deploy.machine.processes import DidNotStart, stop_together, wait_until_ready
from deploy.machine.run_folder import CannotStart
from deploy.machine.unprivileged import unprivileged

_RECOVERY_SECONDS = 3600.0
_TOO_LATE = "recovery ended before configured recovery target was reached"


@contextmanager
def recovered(
    backup: Backup, log: Path, moment: datetime | None, folder: Path
) -> Iterator[PostgresServer]:
    """A server of its own on the recovered data, for as long as the block lasts.

    Without a moment, everything that was archived.
    """
    ledger = Ledger(folder / "processes.json")
    ledger.end_leftovers()  # of a restore that was killed
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)  # databases are dumped into it
    server = PostgresServer(
        folder=folder,
        log=folder / "postgres.log",
        port=FreePorts().take(),
        password=Secrets(backup.machine / "secrets.json").of("postgres"),
        more_settings=_recovery(log, moment),
    )
    _lay_out(backup, server)
    server.prepare()
    process = ledger.start(server.program())
    try:
        wait_until_ready(process, server.is_ready, _RECOVERY_SECONDS)
        yield server
    except DidNotStart as error:
        raise CannotStart(_why(server.log, moment)) from error
    finally:
        stop_together([process])
        ledger.forget_all()


def _lay_out(backup: Backup, server: PostgresServer) -> None:
    shutil.copytree(backup.cluster, server.data, symlinks=True)
    (server.data / "recovery.signal").touch()
    (server.data / "kindred.conf").unlink(missing_ok=True)
    # What the living one was told, such as to wait for its standby, is not for the copy.
    (server.data / "postgresql.auto.conf").write_text("")
    unprivileged().own_all(server.folder)


def _recovery(log: Path, moment: datetime | None) -> dict[str, str]:
    """Connections are taken once it is over, and not before."""
    archive = shlex.quote(str(log)).replace("%", "%%")
    target = {"recovery_target_time": moment.isoformat()} if moment else {}
    return {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_action": "promote",
        "hot_standby": "off",
        **target,
    }


def _why(log: Path, moment: datetime | None) -> str:
    text = log.read_text(errors="replace")
    if moment and _TOO_LATE in text:
        return f"The archive ends before {moment.isoformat()}; without --to, all of it is restored."
    last = text.strip().splitlines()[-1:] or ["it says nothing"]
    return f"The copy did not recover: {last[0]}"
