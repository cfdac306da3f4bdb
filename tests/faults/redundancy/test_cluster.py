"""Three broker nodes: the one that leads is killed, paused, cut off, and the system goes on."""

from collections import Counter
from collections.abc import Callable

import pytest

from deploy.topology import read_topology
from tests.faults.broker_nodes import Node, leaders, members, nodes
from tests.faults.redundant import Load, Redundant, assert_nothing_lost

# A killed node is seen at once. A frozen one is ended by the supervisor after 10 s; one that is
# cut off stops serving by itself, being in the minority.
SERVED_SECONDS = {"killed": 30.0, "paused": 60.0, "cut off": 60.0}


def leading_node(system: Redundant) -> Node:
    """The node that leads most queues."""
    known = {node.erlang_name: node for node in nodes(system)}
    count = Counter(leaders(next(iter(known.values()))).values())
    return known[count.most_common(1)[0][0]]


@pytest.mark.timeout(120, func_only=True)
def test_every_queue_has_a_copy_on_three_nodes(redundant: Redundant) -> None:
    found = members(nodes(redundant)[0])

    assert found == dict.fromkeys(read_topology()["queues"], 3)


@pytest.mark.timeout(400, func_only=True)
def test_the_leading_node_killed_paused_and_cut_off_under_load_loses_nothing(
    redundant: Redundant, record_property: Callable[[str, object], None]
) -> None:
    took = {}

    with Load(redundant, "qzb") as load:
        victim = leading_node(redundant)
        victim.kill()
        took["killed"] = load.seconds_until_served()
        victim.wait_until_whole()

        victim = leading_node(redundant)
        victim.pause()
        took["paused"] = load.seconds_until_served()
        victim.resume()
        victim.wait_until_whole()

        victim = leading_node(redundant)
        victim.cut_off()
        took["cut off"] = load.seconds_until_served()
        victim.join_again()
        victim.wait_until_whole()

    record_property("seconds_until_served", took)
    assert {fault: s for fault, s in took.items() if s > SERVED_SECONDS[fault]} == {}
    assert_nothing_lost(redundant, load)
