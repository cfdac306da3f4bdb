"""Signing in at a certified provider (npm's oidc-provider), which insists on what the mock lets by.

It needs Node.js and, once, its packages, which are installed from a lock file by hash; where
either is not to be had, the tests against the mock remain.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import urllib3

from deploy.machine.ports import FreePorts
from deploy.machine.run_folder import REPOSITORY
from deploy.region.forms import forms_of
from services.chassis.http import oidc
from tests.integration.referrals.people import Desk
from tests.integration.referrals.test_oidc import CALLBACK, PEOPLE, Window, use_provider

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None, reason="Node.js is not installed"
)

SOURCE = Path(__file__).parents[2] / "certified_provider"
# What stands for a browser's cookies and its way through the provider's pages.
_MOST_PAGES = 8


def installed() -> Path:
    """The provider with its packages, which are fetched when the lock file changes."""
    mark = sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()[:16]
    place = REPOSITORY / ".run" / f"certified-provider-{mark}"
    if not (place / "node_modules").exists():
        fresh = place.with_suffix(f".{os.getpid()}")
        fresh.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, fresh)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=fresh, check=True, capture_output=True, timeout=120)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            shutil.rmtree(fresh)
            pytest.skip("the provider's packages cannot be fetched here")
        if place.exists():
            shutil.rmtree(fresh)
        else:
            fresh.rename(place)
    shutil.copy(SOURCE / "provider.mjs", place)
    return place


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = FreePorts().take()
    public = "http://127.0.0.1:8080"
    command = ["node", "provider.mjs", str(port), public + CALLBACK, public + "/sign-in"]
    accounts = json.dumps(PEOPLE, default=str)
    with subprocess.Popen(
        [*command, accounts], cwd=installed(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"listening\n"
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


@pytest.fixture
def window(desk: Desk, issuer: str) -> Window:
    use_provider(desk, issuer)
    return Window(desk, {})


def let_in(address: str, person: str) -> str:
    """Sign in and agree on the provider's own pages; where it then sends the browser."""
    cookies: dict[str, str] = {}
    method = "GET"
    fields: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        reply = urllib3.request(
            method,
            address,
            body=urlencode(fields) if method == "POST" else None,
            headers={
                "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            redirect=False,
        )
        for told in reply.headers.getlist("Set-Cookie"):
            name, _, value = told.partition(";")[0].partition("=")
            cookies[name] = value
        if reply.status in {302, 303}:
            method, address = "GET", urljoin(address, reply.headers["Location"])
            if urlsplit(address).path == CALLBACK:
                return address
            continue
        assert reply.status == 200, reply.data
        form = forms_of(reply.data.decode())[0]
        fields = {**form.fields, "login": person, "password": "any"}
        method, address = "POST", urljoin(address, form.action or address)
    raise AssertionError("the provider did not send the browser back")


def test_somebody_signs_in_with_a_challenge_that_the_provider_insists_on(window: Window) -> None:
    back = window.come_back(let_in(window.start(), "clerk"))

    assert (back.status, back.headers["Location"]) == (303, "/referrals/new"), back.text
    assert window.get("/referrals/new").status == 200


def test_a_code_with_another_verifier_is_refused_by_the_provider(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(["state" * 8, "nonce" * 8, "verifier" * 8])
    monkeypatch.setattr(oidc, "token_urlsafe", lambda _size: next(made))
    address = window.start()
    challenge = parse_qs(urlsplit(address).query)["code_challenge"][0]
    changed = address.replace(challenge, "A" * len(challenge))

    back = window.come_back(let_in(changed, "clerk"))

    assert back.status == 403
    assert "kindred" not in window.cookies


def test_without_a_challenge_the_provider_does_not_even_begin(window: Window) -> None:
    address = window.start()
    query = parse_qs(urlsplit(address).query)
    bare = {name: values[0] for name, values in query.items() if "challenge" not in name}

    location = let_in(address.partition("?")[0] + "?" + urlencode(bare), "clerk")

    assert parse_qs(urlsplit(location).query)["error"] == ["invalid_request"]
    assert window.come_back(location).status == 403


def test_a_code_is_good_once_at_the_provider_too(window: Window, desk: Desk) -> None:
    location = let_in(window.start(), "clerk")
    remembered = dict(window.cookies)
    assert window.come_back(location).status == 303
    again = Window(desk, remembered)

    assert again.come_back(location).status == 403
    assert "kindred" not in again.cookies


@pytest.mark.parametrize("person", ["nobody", "service", "stranger", "peer-of-nobody"])
def test_an_account_without_a_role_here_signs_nobody_in(window: Window, person: str) -> None:
    assert window.come_back(let_in(window.start(), person)).status == 403
    assert "kindred" not in window.cookies


def test_signing_out_leads_to_the_providers_own_page_for_it(window: Window, issuer: str) -> None:
    page = window.get("/sign-in", why="left")

    assert f'href="{issuer}/session/end?client_id=kindred&amp;' in page.text
    asked = urllib3.request(
        "GET",
        f"{issuer}/session/end?"
        + urlencode(
            {
                "client_id": "kindred",
                "post_logout_redirect_uri": "http://127.0.0.1:8080/sign-in",
            }
        ),
    )
    assert asked.status == 200
