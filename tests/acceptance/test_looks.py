"""Every page in a real browser: readable by everybody, at every width, from our own host alone."""

from pathlib import Path

import pytest

from deploy.proposing import propose
from deploy.region.api import Account
from deploy.topology import declared_services
from services.chassis.roles import Role
from services.chassis.service import Page
from tests.acceptance.chrome import Chrome, Visited, html_trouble
from tests.acceptance.clients import Peer, Place, choose, confirm, offer, refer
from tests.acceptance.conftest import NewPlace
from tests.acceptance.running import Running
from tests.acceptance.test_pages import ids_at
from tests.acceptance.visitors import Browser, cookie_for, someone

PAGES = {
    page.path: page
    for service in declared_services()
    for page in service.declared(Page)
    if page.method == "GET" and page.roles and not page.files and "/fragments/" not in page.path
}
LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren Featherstonehaugh-Cholmondeley"
RIGHT_TO_LEFT = "نور الهدى"


@pytest.fixture(scope="module")
def place(new_place: NewPlace) -> Place:
    return new_place()


@pytest.fixture(scope="module")
def peer(place: Place) -> Peer:
    return place.add_peer(display_name=LONG)


@pytest.fixture(scope="module")
def client(place: Place, peer: Peer) -> Account:
    """Somebody who has a peer, and whose name is hard to set; so is the next one's."""
    named = {"preferred_name": LONG, "given_name": LONG}
    matched = confirm(place, place.story(), peer, client=named)
    confirm(place, place.story(), peer, client={"preferred_name": RIGHT_TO_LEFT})
    return place.client(matched.client_id)


@pytest.fixture(scope="module")
def ids(system: Running, place: Place, peer: Peer) -> dict[str, str]:
    """With somebody who waits in a proposal."""
    refer(place, place.story())
    propose(system, lambda _: None)
    return ids_at(place)


@pytest.fixture(scope="module")
def readers(place: Place, peer: Peer, client: Account) -> dict[str, Account]:
    """Somebody of each role, with something to see."""
    people = {"peer": peer.account, "client": client}
    return {role: people.get(role) or someone(role, place.orgs) for role in Role}


def reader_of(page: Page, readers: dict[str, Account]) -> Account:
    return readers[min(page.roles, key=str)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_that_axe_finds_and_nothing_that_overflows(
    browser: Chrome, readers: dict[str, Account], ids: dict[str, str], path: str
) -> None:
    with browser.visit(reader_of(PAGES[path], readers)) as visited:
        answer = visited.page.goto(path.format(**ids))
        assert answer
        assert answer.status == 200

        assert visited.trouble() == []


def test_the_html_of_every_page_is_valid(
    system: Running, readers: dict[str, Account], ids: dict[str, str], tmp_path: Path
) -> None:
    found = {}
    for path, page in PAGES.items():
        visitor = Browser(system, cookie_for(system, reader_of(page, readers)))
        found[path] = visitor.ask("GET", path.format(**ids)).data.decode()

    assert html_trouble(found, tmp_path) == []


def test_the_pages_behind_links_and_the_sign_in_have_nothing_that_axe_finds(
    browser: Chrome, new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place()
    peer = place.add_peer(display_name=LONG)
    story = place.story()
    matched = offer(place, story)
    assert matched.client_email
    choosing = story.letter(matched.client_email).links[0]
    with browser.visit() as visited:
        asking = f"/referrals/self/{place.clinic_id}"
        shown = {path: look_at(visited, path) for path in ("/sign-in", asking, choosing)}
        choose(place, story, matched).expect()
        shown["chosen already"] = look_at(visited, choosing)
        answering = story.letter(peer.email).links[0]
        shown[answering] = look_at(visited, answering)
        for path in (asking, choosing, answering):
            assert 'href="tel:988"' in shown[path]
            assert "Exit this page" in shown[path]

    assert 'href="tel:988"' in shown["chosen already"]
    assert html_trouble(shown, tmp_path) == []


def look_at(visited: Visited, path: str) -> str:
    visited.page.goto(path)
    assert (path, visited.trouble()) == (path, [])
    return visited.page.content()
