"""Two database servers: a primary, and a standby that has each commit before it is answered."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.machine.environment import server_environment
from deploy.machine.ports import LOOPBACK
from deploy.machine.postgres import ADMIN, PostgresServer, binaries
from deploy.machine.run_folder import CannotStart, read_json, write_json
from deploy.machine.unprivileged import unprivileged

NAME = "standby"  # by which the primary knows whoever streams from it
_COPY_SECONDS = 600


@dataclass(frozen=True)
class Roles:
    """Which of the two takes writes, and how the other stands to it.

    `in_step`: every commit that was answered is on both. `fenced`: the other was the primary
    before, and may hold what was never answered; it is made anew by an operator.
    """

    primary: int = 0
    in_step: bool = False
    fenced: bool = False


@dataclass(frozen=True)
class DatabasePair:
    servers: Sequence[PostgresServer]
    file: Path

    @property
    def roles(self) -> Roles:
        return Roles(**read_json(self.file))

    def write(self, roles: Roles) -> None:
        write_json(self.file, asdict(roles))

    @property
    def primary(self) -> PostgresServer:
        return self.servers[self.roles.primary]

    @property
    def standby(self) -> PostgresServer:
        return self.servers[1 - self.roles.primary]

    def dsn(self, database: str, user: str, password: str) -> str:
        """Both addresses, of which a client takes the one that takes writes."""
        return dsn_of([server.port for server in self.servers], database, user, password)

    def make_standby(self) -> None:
        """Copy the primary unless there is a copy, and have the copy follow."""
        standby = self.standby
        if not (standby.data / "PG_VERSION").exists():
            self._copy()
        standby.prepare()

    def discard_standby(self) -> None:
        shutil.rmtree(self.standby.data)

    def _copy(self) -> None:
        account, standby = unprivileged(), self.standby
        standby.folder.mkdir(parents=True, exist_ok=True)
        account.own(standby.folder)
        unfinished = standby.folder / "copy"
        shutil.rmtree(unfinished, ignore_errors=True)
        source = ["-h", LOOPBACK, "-p", str(self.primary.port), "-U", ADMIN]
        command = [binaries() / "pg_basebackup", *source, "-D", unfinished, "-c", "fast"]
        done = subprocess.run(
            [str(part) for part in (*account.prefix, *command)],
            cwd=standby.folder,
            env=server_environment(PGPASSWORD=self.primary.password),
            capture_output=True,
            text=True,
            timeout=_COPY_SECONDS,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"The standby could not be made: {done.stderr.strip()}")
        # What the primary was told about its standby is not for the standby.
        (unfinished / "postgresql.auto.conf").write_text("")
        follow_only(standby, unfinished)
        unfinished.rename(standby.data)


def follow_only(server: PostgresServer, data: Path | None = None) -> None:
    """Whoever starts a server on this folder gets one that takes no writes until promoted."""
    signal = (data or server.data) / "standby.signal"
    signal.touch()
    unprivileged().own(signal)


def dsn_of(ports: Sequence[int], database: str, user: str, password: str) -> str:
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
    writable = "?target_session_attrs=read-write" if len(ports) > 1 else ""
    return f"postgresql://{user}:{password}@{hosts}/{database}{writable}"


def pair_of(server: PostgresServer, *, port: int, file: Path) -> DatabasePair:
    """The server and a second one beside it, each ready to follow the other."""
    second = replace(
        server,
        name=f"{server.name}.2",
        folder=server.folder.with_name(f"{server.folder.name}.2"),
        log=server.log.with_stem(f"{server.log.stem}.2"),
        port=port,
    )
    return DatabasePair([_following(server, second), _following(second, server)], file)


def _following(server: PostgresServer, other: PostgresServer) -> PostgresServer:
    address = f"host={LOOPBACK} port={other.port} user={ADMIN} password={other.password}"
    more = {
        "primary_conninfo": f"{address} application_name={NAME}",
        # So much a standby may miss and still catch up; beyond that it is made anew.
        "wal_keep_size": "512MB",
        "wal_receiver_status_interval": "1s",
        "wal_receiver_timeout": "10s",
        "wal_sender_timeout": "10s",
    }
    return replace(server, more_settings={**server.more_settings, **more})
