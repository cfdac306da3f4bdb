"""A private PostgreSQL server: its data folder, its settings, and when it is ready."""

import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from deploy.machine.environment import server_environment
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.private_files import Secrets
from deploy.machine.processes import Process, Program, stop_together, wait_until_ready
from deploy.machine.run_folder import CannotStart, whole_number
from deploy.machine.unprivileged import Account, unprivileged

ADMIN = "postgres"
_SOCKET_PATH_LIMIT = 107
_START_SECONDS = 60.0
_ARCHIVE = Path(__file__).with_name("archive_segment.sh")
# So much may be lost with the machine itself, of what the journals do not hold.
ARCHIVE_SECONDS = 60

# PostgreSQL quotes values in messages about errors, and statements with their parameters; these
# settings together leave only its own start, stop and crash in the log.
SILENT_ABOUT_VALUES = {
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}
# To PostgreSQL, SIGTERM means to wait until the last client has left; SIGINT ends sessions in
# good order at once. A shell in front lets it answer to SIGTERM like everybody else, and stays
# until the server is gone, however often it is asked.
_ENDS_ON_SIGTERM = (
    "/bin/sh",
    "-c",
    """trap 'kill -INT "$server"' TERM; "$@" & server=$!
    while kill -0 "$server" 2>/dev/null; do wait "$server"; done""",
    "postgres",
)
_MODEST = {
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}


def binaries() -> Path:
    """The newest version that lies where Debian puts it; PATH may hold an unusable wrapper."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    versions = {float(path.parts[-3]): path.parent for path in found}
    if not versions:
        raise CannotStart("PostgreSQL is missing: install the package postgresql-15.")
    return versions[max(versions)]


@dataclass(frozen=True)
class PostgresServer:
    """One cluster in a folder. Not durable is for tests only: a crash may lose what it held."""

    folder: Path
    log: Path
    port: int
    password: str
    max_connections: int = 100
    durable: bool = True
    archive: Path | None = None  # where finished segments of its log are kept, for a restore
    more_settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def dsn(self, database: str = ADMIN, user: str = ADMIN, password: str | None = None) -> str:
        secret = self.password if password is None else password
        return f"postgresql://{user}:{secret}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none yet, and write today's settings."""
        account = unprivileged()
        self.folder.mkdir(parents=True, exist_ok=True)
        account.own(self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(account)
        settings = self.data / "kindred.conf"
        lines = [f"{name} = {_quoted(value)}" for name, value in self._settings().items()]
        # initdb's own file comes first: it holds the kind of shared memory that works here.
        settings.write_text("\n".join(["include 'postgresql.conf'", *lines]) + "\n")
        account.own(settings)

    def program(self) -> Program:
        binary = binaries() / "postgres"
        where = ["-D", str(self.data), "-c", f"config_file={self.data / 'kindred.conf'}"]
        return Program(
            name=self.name,
            command=[*_ENDS_ON_SIGTERM, *unprivileged().prefix, binary, *where],
            log=self.log,
            environment=server_environment(),
            ports={"postgresql": self.port},
            folder=self.folder,
            grace_seconds=30.0,
        )

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(self.dsn(), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _make_cluster(self, account: Account) -> None:
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        account.own(secret)
        initdb = binaries() / "initdb"
        where = ["-D", self.data, "-U", ADMIN]
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(
            [str(part) for part in (*account.prefix, initdb, *where, *options, *locale)],
            cwd=self.folder,
            env=server_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if done.returncode:
            raise CannotStart(f"PostgreSQL could not make its data folder: {done.stderr.strip()}")

    def _settings(self) -> Mapping[str, str]:
        socket = self.folder / f".s.PGSQL.{self.port}"
        fits = len(str(socket).encode()) <= _SOCKET_PATH_LIMIT
        sync = "on" if self.durable else "off"
        return {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder) if fits else "",
            "max_connections": str(self.max_connections),
            "password_encryption": "scram-sha-256",
            "fsync": sync,
            "synchronous_commit": sync,
            "full_page_writes": sync,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "hba_file": str(self.data / "pg_hba.conf"),
            "ident_file": str(self.data / "pg_ident.conf"),
            **SILENT_ABOUT_VALUES,
            **_MODEST,
            **(_archiving(self.archive) if self.archive else {}),
            **self.more_settings,
        }


def _quoted(value: str) -> str:
    """As a configuration file has it: a backslash and a quote are doubled."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _archiving(folder: Path) -> Mapping[str, str]:
    """Keep every finished segment; one that changed is finished after a minute at the latest."""
    script, to = (shlex.quote(str(path)).replace("%", "%%") for path in (_ARCHIVE, folder))
    return {
        "archive_mode": "on",
        "archive_command": f"{script} %p {to}/%f",
        "archive_timeout": str(whole_number("KINDRED_ARCHIVE_SECONDS", ARCHIVE_SECONDS, 1, 3600)),
    }


class PrivatePostgres:
    """A server for whoever needs one for a while, such as a test session."""

    def __init__(self, folder: Path, *, max_connections: int = 200, durable: bool = False) -> None:
        self.ledger = Ledger(folder / "processes.json")
        folder.mkdir(parents=True, exist_ok=True)
        self._server = PostgresServer(
            folder=folder,
            log=folder / "postgres.log",
            port=FreePorts().take(),
            password=Secrets(folder / "secrets.json").of("postgres"),
            max_connections=max_connections,
            durable=durable,
        )
        self._process: Process | None = None

    @property
    def dsn(self) -> str:
        return self._server.dsn()

    @property
    def log(self) -> Path:
        return self._server.log

    def start(self) -> "PrivatePostgres":
        """Start it, ending first what an earlier run left in this folder."""
        self.ledger.end_leftovers()
        self._server.prepare()
        self._process = self.ledger.start(self._server.program())
        wait_until_ready(self._process, self._server.is_ready, _START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process is not None:
            stop_together([self._process])
            self.ledger.forget_all()
