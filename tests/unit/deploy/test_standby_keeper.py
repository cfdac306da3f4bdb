"""What an operator may ask about primary and standby, and what is declined."""

import threading
from pathlib import Path

import pytest

from deploy.machine.keeper import Keeper
from deploy.machine.ledger import Ledger
from deploy.machine.ports import FreePorts
from deploy.machine.postgres import PostgresServer
from deploy.machine.run_folder import read_json, write_json
from deploy.machine.standby import DatabasePair, Roles, pair_of
from deploy.machine.standby_keeper import REBUILD, StandbyKeeper


@pytest.fixture
def pair(tmp_path: Path) -> DatabasePair:
    """Two servers of which none runs."""
    ports = FreePorts()
    log = tmp_path / "postgres.log"
    first = PostgresServer(tmp_path / "postgres", log, ports.take(), password="secret")
    return pair_of(first, port=ports.take(), file=tmp_path / "roles.json")


def test_a_standby_is_not_removed_while_its_primary_is_away(
    tmp_path: Path, pair: DatabasePair
) -> None:
    pair.write(Roles(in_step=False))
    pair.standby.data.mkdir(parents=True)
    keeper = Keeper(Ledger(tmp_path / "ports.json"), threading.Event())
    requests = tmp_path / "request.json"
    write_json(requests, {"asked": REBUILD})

    StandbyKeeper(pair, keeper, requests, tier=0).serve()

    assert read_json(requests)["told"].startswith("declined: ")
    assert pair.standby.data.exists()
