"""Signing in at an OpenID Connect provider: whom it lets in, and everything that it does not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

import oidc_provider_mock
import pytest
import urllib3

from services.chassis.settings import OidcSettings
from tests.integration.browser import words_of
from tests.integration.referrals.people import CLINIC, Desk
from tests.support import Reply

# Of the provider's own library; it would answer 500 for it.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")

START, CALLBACK = "/sign-in/start", "/sign-in/callback"
PEER = uuid4()
PEOPLE = {
    "clerk": {"role": "clinic", "orgs": [str(CLINIC)]},
    "peer": {"role": "peer", "orgs": [], "person": str(PEER)},
    "nobody": {},
    "service": {"role": "service", "orgs": []},
    "stranger": {"role": "director", "orgs": []},
    "peer-of-nobody": {"role": "peer", "orgs": []},
    "odd": {"role": "clinic", "orgs": "all"},
}


@dataclass
class Window:
    """A browser's window between us and the provider; it follows redirects by hand."""

    desk: Desk
    cookies: dict[str, str]

    def get(self, path: str, **query: str) -> Reply:
        told = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = self.desk.scene.request("GET", path, query=query, headers={"cookie": told})
        if "Set-Cookie" in reply.headers:
            name, _, value = reply.headers["Set-Cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value
        return reply

    def start(self, then: str = "/referrals/new") -> str:
        """Where the provider's own sign-in is."""
        reply = self.get(START, then=then)
        assert reply.status == 303, reply.text
        return reply.headers["Location"]

    def come_back(self, location: str, **other: str) -> Reply:
        return self.get(CALLBACK, **{**dict(parse_qsl(urlsplit(location).query)), **other})


def let_in(address: str, person: str) -> str:
    """What somebody does at the provider; where it sends the browser afterwards."""
    reply = urllib3.request(
        "POST",
        address,
        body=urlencode({"sub": person}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        redirect=False,
    )
    assert reply.status == 302, reply.data
    return reply.headers["Location"]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    users = [oidc_provider_mock.User(sub=name, claims=told) for name, told in PEOPLE.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def window(desk: Desk, issuer: str) -> Window:
    use_provider(desk, issuer)
    return Window(desk, {})


def use_provider(desk: Desk, issuer: str) -> None:
    oidc = OidcSettings(issuer, "kindred", "a secret")
    desk.scene.workplace.settings = replace(desk.scene.settings, oidc=oidc)


def test_somebody_signs_in_at_the_provider_and_goes_on_where_they_were(window: Window) -> None:
    address = window.start()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"].endswith(CALLBACK)

    back = window.come_back(let_in(address, "clerk"))

    assert (back.status, back.headers["Location"]) == (303, "/referrals/new")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(back.headers["Set-Cookie"].split("; "))
    page = window.get("/referrals/new")
    assert page.status == 200
    assert "clerk" in words_of(page)


def test_a_peer_is_who_the_provider_says(window: Window) -> None:
    window.come_back(let_in(window.start("/"), "peer"))

    sessions = window.desk.scene.visits.sessions
    session = sessions.of_cookie(window.cookies["kindred"], window.desk.scene.now)

    assert session
    assert (session.caller.role, session.caller.person) == ("peer", PEER)


@pytest.mark.parametrize("person", ["nobody", "service", "stranger", "peer-of-nobody", "odd"])
def test_an_account_without_a_role_that_we_know_signs_nobody_in(
    window: Window, person: str
) -> None:
    back = window.come_back(let_in(window.start(), person))

    assert back.status == 403
    assert "You could not be signed in" in words_of(back)
    assert "kindred" not in window.cookies


def test_an_answer_to_another_sign_in_is_refused(window: Window) -> None:
    location = let_in(window.start(), "clerk")

    assert window.come_back(location, state="x" * 43).status == 403
    assert "kindred" not in window.cookies


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(window: Window, desk: Desk) -> None:
    location = let_in(window.start(), "clerk")
    victim = Window(desk, {})

    assert victim.come_back(location).status == 403
    assert victim.cookies == {}


def test_a_code_of_another_sign_in_is_refused_by_its_nonce(window: Window) -> None:
    attacker = Window(window.desk, {})
    stolen = parse_qs(urlsplit(let_in(attacker.start(), "clerk")).query)["code"][0]
    own = let_in(window.start(), "peer")

    assert window.come_back(own, code=stolen).status == 403
    assert "kindred" not in window.cookies


def test_a_callback_is_good_once(window: Window) -> None:
    location = let_in(window.start(), "clerk")
    assert window.come_back(location).status == 303

    assert window.come_back(location).status == 403


def test_an_answer_in_another_providers_name_is_refused(window: Window) -> None:
    location = let_in(window.start(), "clerk")

    assert window.come_back(location, iss="https://elsewhere.example").status == 403


def test_whoever_says_no_at_the_provider_is_not_signed_in(window: Window) -> None:
    state = parse_qs(urlsplit(window.start()).query)["state"][0]

    back = window.get(CALLBACK, error="access_denied", state=state)

    assert back.status == 403
    assert "access_denied" not in back.text


def test_after_ten_minutes_one_begins_again(window: Window, desk: Desk) -> None:
    location = let_in(window.start(), "clerk")
    desk.scene.pass_time(minutes=11)

    assert window.come_back(location).status == 403


@pytest.mark.parametrize("then", ["//elsewhere.example", "https://elsewhere.example"])
def test_signing_in_leads_to_no_other_site(window: Window, then: str) -> None:
    back = window.come_back(let_in(window.start(then), "clerk"))

    assert back.headers["Location"] == "/"


def test_a_provider_that_is_away_is_told_as_such_and_the_sign_in_page_stays(desk: Desk) -> None:
    use_provider(desk, "http://localhost:1")
    window = Window(desk, {})

    assert window.get(START).status == 503
    assert window.get("/sign-in", why="left").status == 200
    assert "Sign in with your organisation" in words_of(window.get("/sign-in"))


def test_after_signing_out_one_can_sign_out_at_the_provider_as_well(
    window: Window, issuer: str
) -> None:
    page = window.get("/sign-in", why="left")

    assert "You are signed out" in words_of(page)
    assert f'href="{issuer}/oauth2/end_session?client_id=kindred&amp;' in page.text
    assert "end_session" not in window.get("/sign-in").text


def test_without_a_provider_there_is_nothing_to_come_back_from(desk: Desk) -> None:
    window = Window(desk, {})

    assert window.get(START).status == 404
    assert window.get(CALLBACK, code="x", state="y").status == 404
