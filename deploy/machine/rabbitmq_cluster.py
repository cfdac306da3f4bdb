"""The broker of one machine's system: one node, or three that form a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.machine.ports import FreePorts
from deploy.machine.processes import Program
from deploy.machine.rabbitmq import RabbitServer
from deploy.machine.rabbitmq_definitions import ADMIN, definitions
from deploy.machine.run_folder import CannotStart, RunFolder, read_json, write_json


@dataclass(frozen=True)
class RabbitCluster:
    """All nodes, the first of which the others join when they start with an empty folder."""

    nodes: Sequence[RabbitServer]

    def urls(self, user: str = ADMIN, password: str | None = None) -> str:
        """Every node's address, as KINDRED_BROKER wants them."""
        return ";".join(node.url(user, password) for node in self.nodes)

    def prepare(self) -> None:
        self._refuse_another_size()
        for node in self.nodes:
            node.prepare()
        write_json(self._size_file, {"nodes": len(self.nodes)})

    def epmd(self) -> Program:
        return self.nodes[0].epmd()

    def epmd_is_ready(self) -> bool:
        return self.nodes[0].epmd_is_ready()

    def in_order(self) -> Sequence[Sequence[RabbitServer]]:
        """Which nodes start together, and which after those are ready.

        A cluster that was there before waits for its members; empty nodes need one to join.
        """
        if all(node.has_data for node in self.nodes):
            return [self.nodes]
        return [self.nodes[:1], self.nodes[1:]]

    @property
    def _size_file(self) -> Path:
        return self.nodes[0].folder / "cluster.json"

    def _refuse_another_size(self) -> None:
        """Queues keep their copies where they were declared, and a part of a cluster waits."""
        known = read_json(self._size_file).get("nodes", 1 if self.nodes[0].has_data else None)
        if known not in {None, len(self.nodes)}:
            raise CannotStart(
                f"The broker's data is of {known} nodes: set KINDRED_BROKERS={known}, "
                "or remove the data by make clean."
            )


def make_cluster(
    run: RunFolder,
    *,
    nodes: int,
    ports: FreePorts,
    password: str,
    services: Mapping[str, str],
    topology: Mapping[str, Any],
) -> RabbitCluster:
    """Several nodes load no topology at boot: queues are declared when all have joined."""
    loaded = definitions(password, services, topology if nodes == 1 else None)
    epmd_port = ports.take()
    names = ["kindred", *(f"kindred-{number}" for number in range(2, nodes + 1))]
    peers = [f"{name}@localhost" for name in names]
    first = run.path / "rabbitmq"
    return RabbitCluster(
        [
            RabbitServer(
                folder=first.with_name(name),
                logs=run.logs,
                port=ports.take(),
                distribution_port=ports.take(),
                epmd_port=epmd_port,
                password=password,
                loaded=loaded,
                name=name,
                node=peer,
                peers=peers if nodes > 1 else (),
                home=first,
            )
            for name, peer in zip(_process_names(nodes), peers, strict=True)
        ]
    )


def _process_names(nodes: int) -> list[str]:
    return ["rabbitmq", *(f"rabbitmq.{number}" for number in range(2, nodes + 1))]
