"""OR-tools' minimum-cost flow as the solver of an assignment; without OR-tools there is none."""

from importlib.util import find_spec

import numpy as np

from services.matching.domain.assignment import NOBODY, Chosen, Edges, NotOptimal, Places


def is_there() -> bool:
    return find_spec("ortools") is not None


def solve(edges: Edges, clients: int, places: Places) -> Chosen:
    """The best assignment of the edges.

    Flow goes from each client through one of their peers, or past all of them, to the sink. It
    holds the interpreter's lock while it works, so it belongs into a process of its own.
    """
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415  80 MB that only this needs

    peers, sink = len(places), clients + len(places)
    every_client, every_peer = np.arange(clients), np.arange(peers)
    network = min_cost_flow.SimpleMinCostFlow()
    pairs = network.add_arcs_with_capacity_and_unit_cost(
        edges.clients, edges.peers + clients, np.ones(len(edges), np.int64), -edges.values
    )
    network.add_arcs_with_capacity_and_unit_cost(
        every_peer + clients, np.full(peers, sink), np.maximum(places, 0), np.zeros(peers, np.int64)
    )
    network.add_arcs_with_capacity_and_unit_cost(
        every_client,
        np.full(clients, sink),
        np.ones(clients, np.int64),
        np.zeros(clients, np.int64),
    )
    network.set_nodes_supplies(
        np.append(every_client, sink), np.append(np.ones(clients, np.int64), -clients)
    )
    if network.solve() != network.OPTIMAL:
        raise NotOptimal
    chosen = np.full(clients, NOBODY, np.int64)
    taken = network.flows(pairs) > 0
    chosen[edges.clients[taken]] = edges.peers[taken]
    return chosen
