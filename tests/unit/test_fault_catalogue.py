"""docs/faults.md names every fault of the catalogue, and no test that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }

    assert set(re.findall(r"`(test_\w+)`", PAGE)) - defined == set()


def test_every_fault_of_the_catalogue_has_its_row() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| F")]

    numbers = [int(number) for row in rows for number in re.findall(r"\bF(\d+)", row)]

    assert numbers == list(range(1, 51))
