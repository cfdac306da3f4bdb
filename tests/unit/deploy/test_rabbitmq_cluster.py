"""The broker's nodes: how many, which start together, and that their number stays."""

from pathlib import Path
from typing import Any

import pytest

from deploy.machine.ports import FreePorts
from deploy.machine.rabbitmq_cluster import RabbitCluster, make_cluster
from deploy.machine.run_folder import CannotStart, RunFolder, brokers

TOPOLOGY: dict[str, Any] = {"queues": {"matching.referral": {}}}


def a_cluster(folder: Path, nodes: int) -> RabbitCluster:
    run = RunFolder(folder)
    run.create()
    return make_cluster(
        run,
        nodes=nodes,
        ports=FreePorts(),
        password="secret",
        services={"matching": "hers"},
        topology=TOPOLOGY,
    )


def test_one_node_loads_its_queues_and_three_get_them_when_all_have_joined(tmp_path: Path) -> None:
    alone, three = a_cluster(tmp_path, 1), a_cluster(tmp_path, 3)

    assert [queue["name"] for queue in alone.nodes[0].loaded["queues"]] == ["matching.referral"]
    assert [node.loaded["queues"] for node in three.nodes] == [[], [], []]


def test_a_service_is_told_every_node(tmp_path: Path) -> None:
    cluster = a_cluster(tmp_path, 3)

    urls = cluster.urls("matching", "hers").split(";")

    ports = [node.port for node in cluster.nodes]
    assert urls == [f"amqp://matching:hers@127.0.0.1:{port}/kindred" for port in ports]


def test_empty_nodes_join_a_first_one_and_known_ones_start_together(tmp_path: Path) -> None:
    cluster = a_cluster(tmp_path, 3)
    assert [len(group) for group in cluster.in_order()] == [1, 2]

    for node in cluster.nodes:
        (node.folder / "mnesia").mkdir(parents=True)

    assert [len(group) for group in cluster.in_order()] == [3]


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_another_number_of_nodes_is_refused_while_there_is_data(
    tmp_path: Path, before: int, after: int
) -> None:
    cluster = a_cluster(tmp_path, before)
    cluster.prepare()
    (cluster.nodes[0].folder / "mnesia").mkdir()

    with pytest.raises(CannotStart, match=f"set KINDRED_BROKERS={before}"):
        a_cluster(tmp_path, after).prepare()


def test_two_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINDRED_BROKERS", "2")

    with pytest.raises(CannotStart, match="1 or 3"):
        brokers()
