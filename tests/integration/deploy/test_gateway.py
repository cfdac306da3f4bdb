"""The real gateway in front of services that are away, slow or well."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from deploy.machine.gateway import Gateway
from deploy.machine.ledger import Ledger
from deploy.machine.ports import LOOPBACK, FreePorts
from deploy.machine.processes import stop_together, wait_until_ready
from deploy.topology import SERVICES
from services.chassis.assets import STYLESHEET

SECRET = "m-canary-9c2e"


# A page with a part of a service that is there, and one of a service that is away.
PAGE = """<!--# block name="away" -->nothing to see<!--# endblock --><p>\
<!--# include virtual="/matching/fragments/names/1" stub="away" --></p><p>\
<!--# include virtual="/referrals/fragments/names/1" stub="away" --></p><p>\
<!--# include virtual="/matching/fragments/missing" stub="away" --></p>"""


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; below /matching/, as the pages there would."""

    def do_GET(self) -> None:
        told = {"path": self.path, "headers": dict(self.headers)}
        body = json.dumps(told).encode()
        status = 200
        if self.path == "/matching/page":
            body = PAGE.encode()
        elif self.path.startswith("/matching/fragments/"):
            status = 404 if self.path.endswith("missing") else 200
            told_length = self.headers.get("Content-Length", "none")
            body = f"cookie: {self.headers['Cookie']}, body: {told_length}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Nothing of it belongs in a test's output."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    ports = FreePorts()
    echo = ThreadingHTTPServer((LOOPBACK, ports.take()), Echo)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    addresses = {name: [f"{LOOPBACK}:{ports.take()}"] for name in SERVICES}  # nobody is there
    addresses["matching"] = [f"{LOOPBACK}:{echo.server_port}"]
    gateway = Gateway(folder / "gateway", folder, ports.take(), addresses)
    gateway.prepare()
    process = Ledger(folder / "processes.json").start(gateway.program())
    wait_until_ready(process, gateway.is_ready, 10)
    yield gateway
    stop_together([process])
    echo.shutdown()
    echo.server_close()


def ask(gateway: Gateway, method: str, path: str, **more: Any) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        method, f"http://{LOOPBACK}:{gateway.port}{path}", retries=False, timeout=10, **more
    )


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/", {}, 503),
        ("GET", "/internal/needs", {}, 404),
        ("GET", "/metrics", {}, 404),
        ("GET", "/api/matching/../../internal/needs", {}, 404),
        ("POST", "/api/matching/peers", {"body": b"x" * 2_000_000}, 413),
        ("GET", "/api/matching/" + "x" * 20_000, {}, 414),
        ("GET", "/api/matching/%00", {}, 400),
        ("GET", "/api/referrals/referrals", {}, 503),
        ("POST", "/api/referrals/referrals", {"body": b"{}"}, 503),
    ],
)
def test_every_refusal_is_a_problem_document(
    gateway: Gateway, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    answer = ask(gateway, method, path, **more)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_service_that_is_away_says_when_to_come_again(gateway: Gateway) -> None:
    answer = ask(gateway, "GET", "/api/referrals/referrals")

    assert int(answer.headers["Retry-After"]) > 0


def test_a_purpose_from_outside_does_not_reach_a_service(gateway: Gateway) -> None:
    answer = ask(gateway, "GET", "/api/matching/x", headers={"Kindred-Purpose": "scheduling"})

    assert "Kindred-Purpose" not in answer.json()["headers"]


def test_no_log_holds_the_address_or_the_referrer(gateway: Gateway) -> None:
    headers = {"Referer": f"http://x.example/l/{SECRET}", "User-Agent": SECRET}
    assert ask(gateway, "GET", f"/l/{SECRET}?q={SECRET}", headers=headers).status == 200
    assert ask(gateway, "GET", f"/l/r-{SECRET}").status == 503
    assert ask(gateway, "GET", f"/api/matching/{SECRET}" + "x" * 20_000).status == 414

    written = b"".join(path.read_bytes() for path in gateway.logs.glob("*.log"))

    assert b'"service":"matching"' in written
    assert SECRET.encode() not in written


def test_whoever_asks_for_a_page_is_told_of_a_refusal_by_a_page(gateway: Gateway) -> None:
    answer = ask(gateway, "GET", "/referrals/", headers={"Accept": "text/html,*/*;q=0.8"})

    assert answer.status == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert b"The service is away for a moment; try again." in answer.data
    assert int(answer.headers["Retry-After"]) > 0


def test_the_style_sheet_may_be_kept_for_ever_and_is_small(gateway: Gateway) -> None:
    answer = ask(
        gateway,
        "GET",
        f"/assets/{STYLESHEET}",
        headers={"Accept-Encoding": "gzip"},
        decode_content=False,
    )

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < 25_000
    assert ask(gateway, "GET", "/assets/../nginx.conf").status == 404
    assert ask(gateway, "GET", "/assets/").status in (403, 404)


def test_who_tries_to_sign_in_again_and_again_waits_and_may_still_look(gateway: Gateway) -> None:
    tries = [ask(gateway, "POST", "/sign-in", body=b"").status for _ in range(15)]

    assert tries[0] == 503  # nobody is behind it here
    assert tries[-1] == 429
    assert ask(gateway, "GET", "/sign-in").status == 503


def test_a_page_is_put_together_from_parts_and_says_which_cannot_be_had(gateway: Gateway) -> None:
    began = time.monotonic()
    answer = ask(gateway, "GET", "/matching/page", headers={"Cookie": "kindred=a"})

    assert answer.status == 200
    shown = re.findall(r"<p>(.*?)</p>", answer.data.decode(), re.DOTALL)
    assert shown == ["cookie: kindred=a, body: none", "nothing to see", "nothing to see"]
    assert time.monotonic() - began < 1


def test_a_part_of_a_page_is_not_to_be_had_by_itself(gateway: Gateway) -> None:
    assert ask(gateway, "GET", "/matching/fragments/names/1").status == 404


def test_only_pages_have_parts_put_in(gateway: Gateway) -> None:
    asked = {"User-Agent": "<!--# include virtual='/matching/page' -->"}

    answer = ask(gateway, "GET", "/api/matching/x", headers=asked)

    assert b"include virtual" in answer.data


def test_what_was_typed_for_one_service_does_not_go_to_the_owner_of_a_part(
    gateway: Gateway,
) -> None:
    answer = ask(gateway, "POST", "/matching/page", body=b"wishes=secret")

    assert b"cookie: None, body: none" in answer.data


def test_a_links_page_has_no_parts_put_in(gateway: Gateway) -> None:
    asked = {"User-Agent": "<!--# include virtual='/matching/page' -->"}

    assert b"include virtual" in ask(gateway, "GET", "/l/m-x", headers=asked).data
