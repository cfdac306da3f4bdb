"""The redundant system, for as long as its own tests run."""

from collections.abc import Iterator

import pytest

from deploy.machine.run_folder import REPOSITORY, RunFolder
from tests.faults.redundant import Redundant


@pytest.fixture(scope="package")
def redundant() -> Iterator[Redundant]:
    running = Redundant(RunFolder(REPOSITORY / ".run" / "redundant"))
    running.clean()
    try:
        running.up()
        yield running
    finally:
        running.down()
