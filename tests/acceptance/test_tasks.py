"""Everybody's daily work, by the keyboard alone and without script."""

import re
from pathlib import Path

import pytest

from deploy.region.api import Account
from tests.acceptance.chrome import Chrome
from tests.acceptance.clients import Place
from tests.acceptance.conftest import NewPlace
from tests.acceptance.hands import Hands
from tests.acceptance.tasks import client, clinic, coordinator, peer, supervisor
from tests.acceptance.tasks.office import Office, Tasks, open_office

TASKS: dict[str, Tasks] = {
    "clinic": clinic.TASKS,
    "coordinator": coordinator.TASKS,
    "peer": peer.TASKS,
    "client": client.TASKS,
    "supervisor": supervisor.TASKS,
}
LISTED = Path(__file__).parents[2] / "docs" / "tasks.md"
MOST_SECONDS = {
    ("clinic", "Refer somebody"): 120,
    ("peer", "Log a contact with somebody one meets"): 30,
}


@pytest.fixture
def office(new_place: NewPlace) -> Office:
    return open_office(new_place())


def account_of(person: str, place: Place, office: Office) -> Account | None:
    accounts = {
        "clinic": place.clinic,
        "coordinator": place.coordinator,
        "peer": office.peer.account,
        "supervisor": place.supervisor,
    }
    return accounts.get(person)


@pytest.mark.parametrize(
    ("person", "name"), [(person, name) for person, tasks in TASKS.items() for name in tasks]
)
def test_it_is_done_by_the_keyboard_alone_and_without_script(
    browser: Chrome, office: Office, person: str, name: str
) -> None:
    account = account_of(person, office.place, office)
    with browser.visit(account, script=False) as visited:
        hands = Hands(visited.page)

        TASKS[person][name](hands, office)

        took = f"{hands.steps} steps, {hands.keys} keys, {hands.seconds:.0f} s"
        print(f"TASK {person}: {name}: {took}")  # noqa: T201  the figures of docs/tasks.md
        assert hands.seconds <= MOST_SECONDS.get((person, name), 60)
        assert "<script" not in visited.page.content()


def test_the_list_of_tasks_has_these_and_no_others() -> None:
    listed: dict[str, list[str]] = {}
    for line in LISTED.read_text().splitlines():
        if line.startswith("## "):
            listed[line[3:].lower()] = []
        elif found := re.match(r"\| \d+ \| ([^|]+) \|", line):
            listed[list(listed)[-1]].append(found[1].strip())

    assert {person: found for person, found in listed.items() if found} == {
        person: list(tasks) for person, tasks in TASKS.items()
    }
    assert all(len(tasks) == 10 for tasks in TASKS.values())
