"""Any one process killed with -9 at any step, and started again: one session, one notice each."""

import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest

from deploy.region.api import Reply
from deploy.region.forms import forms_of
from deploy.region.mailbox import Letter
from tests.acceptance.clients import PatientApi, Place
from tests.acceptance.conftest import NewPlace
from tests.acceptance.ledgers import holes, lost, wait_until_drained
from tests.acceptance.running import Running, eventually

STEP_SECONDS = 60.0
# A kill arrives before the step's request, within it or just after it.
_DELAYS_SECONDS = cycle((0.0, 0.004, 0.012, 0.03))


class OneWalk:
    """A referral's way in steps, each of which may be disturbed."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.peer = place.add_peer()
        self.story = place.story()
        self.body = place.referral(consent=None)
        self.referral_id = self.match_id = self.session_id = ""

    @property
    def steps(self) -> list[Callable[[], None]]:
        return [
            self.submit,
            self.consent,
            self.accept,
            self.shortlist,
            self.offer,
            self.choose,
            self.agree,
            self.book,
            self.tell,
        ]

    def submit(self) -> None:
        self.referral_id = self.story.submit(self.body)["id"]

    def consent(self) -> None:
        consent = self.place.referral()["consent"]
        self.story.consent(self.referral_id, consent)

    def accept(self) -> None:
        self.story.accept(self.referral_id)

    def shortlist(self) -> None:
        self.match_id = self.story.shortlist(self.referral_id)["match_id"]

    def offer(self) -> None:
        self.story.offer(self.referral_id)

    def choose(self) -> None:
        self._use_link(self.story.letter(self.body["client"]["email"]))
        self.story.wait_for_match(self.match_id, "chosen")

    def agree(self) -> None:
        self._use_link(self.story.letter(self.peer.email))
        self.story.wait_for_match(self.match_id, "confirmed")

    def book(self) -> None:
        first = self.story.times(self.match_id)[0]["starts_at"]
        self.session_id = self.story.book(self.match_id, first)["id"]

    def tell(self) -> None:
        for role in ("client", "peer", "clinic"):
            about = {"kind": "session-booked", "session_id": self.session_id}
            self.story.wait_for_message(self.referral_id, "delivered", to=role, **about)

    def _use_link(self, letter: Letter) -> None:
        """A link works once: gone means that the answer of an earlier try was lost on its way."""
        path = letter.links[0]
        page = self.place.api.show_link(path)
        if page.status == 200:
            page = self._send(page, path)
        assert page.status in {200, 303, 410}

    def _send(self, page: Reply, path: str) -> Reply:
        return self.place.api.send_form(forms_of(page.text)[0], path)


def targets(system: Running) -> list[str]:
    """Every process, one replica of each."""
    return sorted(name for name in system.processes() if not name.endswith(".2"))


@pytest.mark.timeout(400)
def test_killing_any_process_at_any_step_leaves_one_session_and_one_notice_each(
    system: Running, patient_api: PatientApi, new_place: NewPlace
) -> None:
    names = targets(system)
    walks = [OneWalk(new_place(patient_api, step_seconds=STEP_SECONDS)) for _ in names]

    with ThreadPoolExecutor(len(walks)) as threads:
        for position in range(len(walks[0].steps)):
            taken = [
                # Over all steps, each process is killed once within each.
                _kill_while(system, victim, threads.submit(walk.steps[position]))
                for walk, victim in zip(walks, names[position:] + names[:position], strict=True)
            ]
            for step in taken:
                step.result()

    wait_until_drained(system)
    assert lost(system) == set()
    assert holes(system) == []
    for walk in walks:
        _assert_one_session_and_one_notice_each(walk.place, walk)


def _kill_while(system: Running, victim: str, step: Future[None]) -> Future[None]:
    """Kill a process that lives while the step is on its way; the step may take its time."""
    eventually(lambda: system.identity(victim).is_alive, f"{victim} lives", seconds=STEP_SECONDS)
    before = system.identity(victim)
    time.sleep(next(_DELAYS_SECONDS))
    before.send(signal.SIGKILL)
    system.wait_until_back(victim, before)
    return step


def _assert_one_session_and_one_notice_each(place: Place, walk: OneWalk) -> None:
    sessions = [
        session
        for session in place.api.all("/api/scheduling/sessions", by=place.coordinator)
        if session["match_id"] == walk.match_id
    ]
    assert [(one["id"], one["state"]) for one in sessions] == [(walk.session_id, "booked")]
    for email in (walk.body["client"]["email"], walk.peer.email):
        letters = place.mailbox.letters(email)
        entries = {letter.message_id for letter in letters if letter.calendar is not None}
        assert len(entries) == 1
        assert _repeats(place, walk) >= _extra(letters)


def _extra(letters: list[Letter]) -> int:
    """How many letters came again under a Message-ID that had been there."""
    return sum(count - 1 for count in Counter(letter.message_id for letter in letters).values())


def _repeats(place: Place, walk: OneWalk) -> int:
    messages: list[dict[str, Any]] = walk.story.messages(walk.referral_id)
    return sum(message["repeats"] for message in messages)


def test_frozen_processes_are_killed_and_started_again(system: Running) -> None:
    frozen = {name: system.identity(name) for name in ("referrals.web.1", "matching.worker.1")}

    for identity in frozen.values():
        identity.send(signal.SIGSTOP)

    for name, before in frozen.items():
        system.wait_until_back(name, before)
        assert not before.is_alive
