"""Somebody who works with the keyboard alone, without script, and how much work that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Page

# The keystroke-level model (Card, Moran and Newell): a key by an average typist, a moment's
# thought before each step, and the answer of the system.
KEY_SECONDS: Final = 0.28
THINK_SECONDS: Final = 1.35
ANSWER_SECONDS: Final = 0.3
# Nothing on a page is further away.
_MOST_TABS: Final = 160

_FOCUSED: Final = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const label = one.labels && one.labels.length ? one.labels[0].innerText : one.innerText;
    const name = one.getAttribute("aria-label") || label || one.value || "";
    return {
        name: name.trim().replace(/\\s+/g, " "), tag: one.tagName, type: one.type || "",
        group: one.name || "", checked: Boolean(one.checked), typed: one.value || "",
        outlined: getComputedStyle(one).outlineStyle !== "none" || one.tagName === "INPUT"
            || getComputedStyle(one).boxShadow !== "none"
    };
}"""
_GROUP_OF: Final = """(label) => {
    const found = [...document.querySelectorAll("input[type=radio]")].find(
        one => one.labels.length && one.labels[0].innerText.trim() === label);
    return found ? found.name : null;
}"""


class OutOfReach(AssertionError):
    """The keyboard does not lead to it."""


@dataclass
class Hands:
    """Two hands on a keyboard; `steps` are what one decides to do, `keys` what one presses."""

    page: Page
    steps: int = 0
    keys: int = 0
    answers: int = 0

    @property
    def seconds(self) -> float:
        """By the keystroke-level model."""
        return self.steps * THINK_SECONDS + self.keys * KEY_SECONDS + self.answers * ANSWER_SECONDS

    def begin(self, path: str) -> None:
        """Open a page, by a link in a message or as the place where one always begins."""
        answer = self.page.goto(path)
        assert answer
        assert answer.status == 200, answer.status

    def follow(self, name: str) -> None:
        """Press a link or a button, and wait for the page that it brings."""
        self._reach(name, ("A", "BUTTON"))
        with self.page.expect_navigation():
            self._press("Enter")
        self.steps += 1
        self.answers += 1

    def open(self, name: str) -> None:
        """Unfold what a line says more about."""
        self._reach(name, ("SUMMARY",))
        self._press("Enter")
        self.steps += 1

    def type(self, label: str, text: str) -> None:
        self._reach(label, ("INPUT", "TEXTAREA"))
        self.page.keyboard.type(text)
        self.keys += len(text)
        self.steps += 1

    def tick(self, label: str) -> None:
        self._reach(label, ("INPUT",))
        self._press("Space")
        self.steps += 1

    def pick(self, label: str, option: str) -> None:
        """Choose of a list by the first letters of what is wanted."""
        self._reach(label, ("SELECT",))
        self.page.keyboard.type(option)
        self.keys += len(option)
        self.steps += 1

    def choose(self, label: str) -> None:
        """One of several that exclude each other: to their group, then with the arrows."""
        group = self.page.evaluate(_GROUP_OF, label)
        self._tab_to(lambda found: found["group"] == group and group is not None, label)
        for _ in range(20):
            found = self._focused()
            if found and found["name"] == label:
                if not found["checked"]:
                    self._press("Space")
                self.steps += 1
                return
            self._press("ArrowDown")
        raise OutOfReach(f"{label} on {self._place()}")

    def sees(self, text: str) -> bool:
        return text in " ".join(self.page.locator("body").inner_text().split())

    def _reach(self, name: str, tags: tuple[str, ...]) -> None:
        self._tab_to(lambda found: found["name"] == name and found["tag"] in tags, name)

    def _tab_to(self, is_it: Any, name: str) -> None:
        found = self._focused()
        for _ in range(_MOST_TABS):
            if found and is_it(found):
                assert found["outlined"], f"nobody sees that {name} has the focus"
                return
            self._press("Tab")
            found = self._focused()
        raise OutOfReach(f"{name} on {self._place()}")

    def _focused(self) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.page.evaluate(_FOCUSED)
        return found

    def _press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def _place(self) -> str:
        return urlsplit(self.page.url).path
