"""A private RabbitMQ node and its own epmd, on loopback only; rabbitmq_cluster has several."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import amqp

from deploy.machine.environment import server_environment
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts, answers
from deploy.machine.private_files import Secrets
from deploy.machine.processes import Process, Program, stop_together, wait_until_ready
from deploy.machine.rabbitmq_definitions import ADMIN, VHOST, configuration, definitions
from deploy.machine.run_folder import CannotStart, write_atomically, write_json

BINARIES = Path("/usr/lib/rabbitmq/bin")  # /usr/sbin has wrappers that want root
SERVER = BINARIES / "rabbitmq-server"
_START_SECONDS = 90.0

# Erlang's schedulers spin while idle, and its node name must be found without a hosts file.
# A peer that is silent for 22 to 38 s (by default 45 to 75) counts as gone.
_ERLANG_ARGUMENTS = (
    "+sbwt none +sbwtdcpu none +sbwtdio none"
    " -kernel inet_dist_use_interface {127,0,0,1} -kernel net_ticktime 30"
)
_INETRC = """\
{host, {127,0,0,1}, ["localhost"]}.
{hosts_file, ""}.
{lookup, [file, native]}.
"""


def epmd_binary() -> Path:
    found = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    if not found or not SERVER.exists():
        raise CannotStart("RabbitMQ is missing: install the package rabbitmq-server.")
    return found[-1]


@dataclass(frozen=True)
class RabbitServer:
    """One node in a folder, with the users, queues and bindings of `loaded` at every boot.

    Nodes that name each other as `peers` form a cluster; they share epmd and, by `home`, a cookie.
    """

    folder: Path
    logs: Path
    port: int
    distribution_port: int
    epmd_port: int
    password: str
    loaded: Mapping[str, Any]
    name: str = "rabbitmq"
    node: str = "kindred@localhost"
    peers: Sequence[str] = ()
    home: Path | None = None

    def url(self, user: str = ADMIN, password: str | None = None) -> str:
        secret = self.password if password is None else password
        return f"amqp://{user}:{secret}@{LOOPBACK}:{self.port}/{VHOST}"

    @property
    def data(self) -> Path:
        return self.folder / "mnesia"

    @property
    def has_data(self) -> bool:
        return self.data.exists()

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        loaded = self.folder / "definitions.json"
        write_json(loaded, self.loaded)
        text = configuration(
            listen=f"{LOOPBACK}:{self.port}",
            loaded=loaded,
            password=self.password,
            peers=self.peers,
        )
        write_atomically(self.folder / "rabbitmq.conf", text)
        write_atomically(self.folder / "enabled_plugins", "[].\n")
        write_atomically(self.folder / "inetrc", _INETRC)

    def epmd(self) -> Program:
        return Program(
            name="epmd",
            command=[epmd_binary(), "-address", LOOPBACK, "-port", str(self.epmd_port)],
            log=self.logs / "epmd.log",
            environment=self.environment(),
            ports={"epmd": self.epmd_port},
            folder=self.folder,
            grace_seconds=2.0,
        )

    def program(self) -> Program:
        return Program(
            name=self.name,
            command=[SERVER],
            log=self.logs / f"{self.name}.log",
            environment=self.environment(),
            ports={"amqp": self.port, "distribution": self.distribution_port},
            folder=self.folder,
            grace_seconds=30.0,
        )

    def epmd_is_ready(self) -> bool:
        return answers(self.epmd_port)

    def is_ready(self) -> bool:
        """Tell whether the administrator gets a channel: then the definitions are loaded too."""
        try:
            self._open_channel(seconds=5)
        except (OSError, amqp.AMQPError):
            return False
        return True

    def is_silent(self, seconds: float) -> bool:
        """Tell a frozen node, which takes a connection and says nothing, from one that is away."""
        try:
            self._open_channel(seconds)
        except TimeoutError:
            return True
        except (OSError, amqp.AMQPError):
            return False
        return False

    def _open_channel(self, seconds: float) -> None:
        with amqp.Connection(
            host=f"{LOOPBACK}:{self.port}",
            userid=ADMIN,
            password=self.password,
            virtual_host=VHOST,
            connect_timeout=seconds,
            read_timeout=seconds,
        ) as connection:
            connection.channel().close()

    def environment(self) -> dict[str, str]:
        return server_environment(
            HOME=self.home or self.folder,
            RABBITMQ_CONF_ENV_FILE="/dev/null",
            RABBITMQ_NODENAME=self.node,
            RABBITMQ_CONFIG_FILE=self.folder / "rabbitmq.conf",
            RABBITMQ_ENABLED_PLUGINS_FILE=self.folder / "enabled_plugins",
            RABBITMQ_MNESIA_BASE=self.data,
            RABBITMQ_LOG_BASE=self.logs,
            RABBITMQ_LOGS=self.logs / f"{self.name}-node.log",
            RABBITMQ_DIST_PORT=self.distribution_port,
            # Without its shell script as a parent, the node itself answers to our signals.
            RABBITMQ_ALLOW_INPUT="true",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=f"-noinput {_ERLANG_ARGUMENTS}",
            # Where ours was killed the node would start an epmd that no one of us could stop.
            ERL_AFLAGS="-start_epmd false",
            ERL_EPMD_PORT=self.epmd_port,
            ERL_EPMD_ADDRESS=LOOPBACK,
            ERL_INETRC=self.folder / "inetrc",
            ERL_CRASH_DUMP_SECONDS=0,
        )


class PrivateRabbit:
    """A node for whoever needs one for a while, such as a test session."""

    def __init__(self, folder: Path, *, loaded: Mapping[str, Any] | None = None) -> None:
        self.ledger = Ledger(folder / "processes.json")
        folder.mkdir(parents=True, exist_ok=True)
        ports = FreePorts()
        self.password = Secrets(folder / "secrets.json").of("rabbitmq")
        self._server = RabbitServer(
            folder=folder,
            logs=folder,
            port=ports.take(),
            distribution_port=ports.take(),
            epmd_port=ports.take(),
            password=self.password,
            loaded=loaded or definitions(self.password),
        )
        self._processes: list[Process] = []

    @property
    def url(self) -> str:
        """As the administrator, who may do everything."""
        return self._server.url()

    def url_of(self, user: str, password: str) -> str:
        return self._server.url(user, password)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self._server.port}"

    @property
    def ports(self) -> list[int]:
        return [self._server.port, self._server.distribution_port, self._server.epmd_port]

    @property
    def logs(self) -> Path:
        return self._server.logs

    def discard(self) -> "PrivateRabbit":
        """Forget an earlier run's data: one that ended in its first start may have left half."""
        self.ledger.end_leftovers()
        shutil.rmtree(self._server.data, ignore_errors=True)
        return self

    def start(self) -> "PrivateRabbit":
        """Start it, ending first what an earlier run left in this folder."""
        self.ledger.end_leftovers()
        self._server.prepare()
        for program, is_ready in (
            (self._server.epmd(), self._server.epmd_is_ready),
            (self._server.program(), self._server.is_ready),
        ):
            self._processes.append(self.ledger.start(program))
            wait_until_ready(self._processes[-1], is_ready, _START_SECONDS)
        return self

    def stop(self) -> None:
        for process in reversed(self._processes):
            stop_together([process])
        self._processes = []
        self.ledger.forget_all()
