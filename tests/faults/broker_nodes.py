"""One node of the broker's cluster, as a test disturbs it: killed, paused, cut off from the others.

Cut off means: it and the others refuse each other's distribution connections, as a firewall
between them would; clients still reach every node. It needs no right over the machine's network.
"""

import signal
import subprocess
from dataclasses import dataclass

from deploy.machine.rabbitmq import BINARIES, RabbitServer
from deploy.machine.rabbitmq_definitions import VHOST
from tests.acceptance.running import Running, eventually

_COMMAND_SECONDS = 30


@dataclass(frozen=True)
class Node:
    system: Running
    name: str

    @property
    def erlang_name(self) -> str:
        _, _, number = self.name.partition(".")
        return f"kindred-{number}@localhost" if number else "kindred@localhost"

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl answers, asked of this node."""
        server = self._server()
        environment = server.environment()
        for name in ("RABBITMQ_DIST_PORT", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "ERL_AFLAGS"):
            del environment[name]
        done = subprocess.run(
            [str(BINARIES / "rabbitmqctl"), "-q", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=True,
        )
        return done.stdout

    def _server(self) -> RabbitServer:
        processes, run = self.system.processes(), self.system.run_folder
        ports = processes[self.name]["ports"]
        return RabbitServer(
            folder=run / self.name,
            logs=self.system.log_folder,
            port=ports["amqp"],
            distribution_port=ports["distribution"],
            epmd_port=processes["epmd"]["ports"]["epmd"],
            password=self.system.secret("rabbitmq"),
            loaded={},
            node=self.erlang_name,
            home=run / "rabbitmq",
        )

    def kill(self) -> None:
        before = self.system.identity(self.name)
        before.send(signal.SIGKILL)
        self.system.wait_until_back(self.name, before)

    def pause(self) -> None:
        self.system.identity(self.name).send(signal.SIGSTOP)

    def resume(self) -> None:
        self.system.identity(self.name).send(signal.SIGCONT)

    def cut_off(self) -> None:
        """From all others at once: one that still reached it would end the rest as well.

        RabbitMQ makes a link lost between two nodes, both of which a third reaches, a loss of
        all links, and with pause_minority every node then stops serving.
        """
        self.control(
            "eval",
            "Others = nodes(), [erlang:set_cookie(N, cut_off) || N <- Others],"
            " [erlang:disconnect_node(N) || N <- Others].",
        )

    def join_again(self) -> None:
        others = ", ".join(f"'{node.erlang_name}'" for node in nodes(self.system) if node != self)
        self.control("eval", f"[erlang:set_cookie(N, erlang:get_cookie()) || N <- [{others}]].")

    def wait_until_whole(self) -> None:
        """Wait until this node serves again and knows all the others."""

        def is_whole() -> bool:
            try:
                return self.control("eval", "length(rabbit_nodes:all_running()).").strip() == "3"
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                return False

        eventually(is_whole, f"{self.name} is in the cluster", seconds=90)
        eventually(self._server().is_ready, f"{self.name} serves", seconds=90)


def nodes(system: Running) -> list[Node]:
    return [Node(system, name) for name in system.processes() if name.startswith("rabbitmq")]


def leaders(asked: Node) -> dict[str, str]:
    """Which node leads each queue, by the queue's name."""
    rows = asked.control("list_queues", "-p", VHOST, "--no-table-headers", "name", "leader")
    return dict(map(_pair, rows.splitlines()))


def members(asked: Node) -> dict[str, int]:
    """On how many nodes each queue has a copy, by the queue's name."""
    rows = asked.control("list_queues", "-p", VHOST, "--no-table-headers", "name", "members")
    return {
        name: nodes.count("@") for name, nodes in (row.split("\t") for row in rows.splitlines())
    }


def _pair(row: str) -> tuple[str, str]:
    name, _, told = row.partition("\t")
    return name, told
