"""Everything at once while connections are cut: every place counted, every yes there, one truth.

Five hundred and more steps of 36 people on twenty peers, side by side, while the database
ends connections in the middle of whatever they do, as the kill of a process would.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from services.chassis.http.request import Caller
from services.matching.domain.states import HOLDS_A_PLACE
from tests import support
from tests.integration.matching.story import Story
from tests.support import Reply

PEERS, PEOPLE, STEPS = 20, 36, 15
ENDS = """
    SELECT pg_terminate_backend(pid)
      FROM pg_stat_activity
     WHERE datname = %s AND usename = 'matching' AND pid <> pg_backend_pid()
     ORDER BY random()
     LIMIT 1
"""


@contextmanager
def connections_cut(story: Story) -> Iterator[Counter[str]]:
    """Again and again one of the service's connections ends, whatever it is in."""
    stop, cut = threading.Event(), Counter[str]()

    def go_on() -> None:
        with psycopg.connect(story.scene.database.owner, autocommit=True) as connection:
            while not stop.wait(0.04):
                cut["ended"] += len(
                    connection.execute(ENDS, (story.scene.database.name,)).fetchall()
                )

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield cut
    finally:
        stop.set()
        thread.join(10)


@dataclass
class Person:
    """One referral's client, and what anybody may do about it, again where it was cut off."""

    story: Story
    referral_id: UUID
    caller: Caller
    random: Random
    answers: Counter[str] = field(default_factory=Counter)
    pauses: int = 0

    def live(self) -> None:
        acts = (self.offer, self.choose, self.accept, self.decline, self.end, self.pause)
        for act in self.random.choices(acts, (6, 6, 6, 1, 1, 1), k=STEPS):
            try:
                reply = act()
            except psycopg.OperationalError:
                self.answers["cut"] += 1
            else:
                self.answers[f"{act.__name__} {reply.status if reply else 'heard'}"] += 1

    def offer(self) -> Reply:
        seen = self.story.shortlist(self.referral_id)
        if seen.status != 200:
            return seen
        coordinator, path = self.story.coordinator, {"referral_id": self.referral_id}
        return self.story.scene.call("offer", coordinator, {}, path=path, if_match=seen.etag)

    def choose(self) -> Reply:
        return self.story.choose(self._match().get("offer_id") or str(uuid4()), self.caller)

    def accept(self) -> Reply:
        match = self._match()
        peer = self.story.peer(UUID(match["peer_id"])) if match.get("peer_id") else self.caller
        return self._on_match("accept", match, peer)

    def decline(self) -> Reply:
        return self._on_match("decline", self._match(), self.caller)

    def end(self) -> Reply:
        return self._on_match("end", self._match(), self.caller)

    def pause(self) -> None:
        """The event comes again until it was handled, as the broker would bring it."""
        kind = "referral.resumed.v1" if self.pauses % 2 else "referral.paused.v1"
        self.pauses += 1
        told = {"referral_id": self.referral_id, "clinic_id": self.story.clinic_id}
        event_id, sequence = uuid4(), self.pauses + 1
        for _ in range(50):
            try:
                self.story.scene.receive(
                    kind,
                    told,
                    subject=self.referral_id,
                    org=self.story.clinic_id,
                    event_id=event_id,
                    sequence=sequence,
                )
            except psycopg.OperationalError:
                continue
            return
        raise AssertionError("never handled")

    def _match(self) -> dict[str, Any]:
        reply = self.story.shortlist(self.referral_id)
        found: dict[str, Any] = reply.json if reply.status == 200 else {}
        return found

    def _on_match(self, act: str, match: dict[str, Any], caller: Caller) -> Reply:
        path = {"match_id": match.get("match_id") or str(uuid4())}
        return self.story.scene.call(act, caller, {}, path=path)


def somebody(story: Story, seed: int) -> Person:
    client_id = uuid4()
    referral_id = story.refer(client_id=client_id)
    caller = support.client(story.clinic_id, person=client_id)
    return Person(story, referral_id, caller, Random(seed))


@pytest.mark.parametrize("seed", [1])
def test_amid_kills_no_place_is_given_twice_no_yes_is_skipped_and_each_has_one_state(
    story: Story, seed: int
) -> None:
    peers = [story.add_peer(capacity=1 + number % 2) for number in range(PEERS)]
    people = [somebody(story, seed * 1_000 + number) for number in range(PEOPLE)]

    with connections_cut(story) as cut, ThreadPoolExecutor(8) as threads:
        list(threads.map(Person.live, people))

    answers = sum((one.answers for one in people), Counter[str]())
    assert cut["ended"] > 20
    assert not [status for status in answers if status.endswith(" 500")], answers
    for needed in ("offer 201", "choose 200", "accept 200", "end 200", "pause heard"):
        assert answers[needed], answers
    assert places_are_those_held(story, peers)
    assert one_open_match_each(story)
    assert every_match_was_chosen_and_accepted(story)
    assert each_is_told_what_is_so(story)


def places_are_those_held(story: Story, peers: list[UUID]) -> bool:
    rows = story.scene.rows("SELECT id, capacity, places_taken FROM peers")
    held = story.held_places()
    return len(rows) == len(peers) and all(
        row["places_taken"] == held[row["id"]] <= row["capacity"] for row in rows
    )


def one_open_match_each(story: Story) -> bool:
    query = """
        SELECT referral_id FROM matches WHERE state <> 'ended'
         GROUP BY referral_id HAVING count(*) > 1
    """
    return story.scene.rows(query) == []


def every_match_was_chosen_and_accepted(story: Story) -> bool:
    """What was told, in order: an offer, the person's choice, then the same peer's yes."""
    told: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for name, data in story.scene.events():
        if name.startswith("match."):
            told[data["match_id"]].append((name.split(".")[1], data.get("peer_id")))
    for steps in told.values():
        for at, (step, peer_id) in enumerate(steps):
            if step == "confirmed" and steps[at - 1] != ("chosen", peer_id):
                return False
            if step == "chosen" and steps[at - 1][0] != "offered":
                return False
    return True


def each_is_told_what_is_so(story: Story) -> bool:
    """The last word about each match is the state that its row has."""
    says = {
        "shortlisted": {"shortlisted"},
        "no_peer_found": {"waiting"},
        "offered": {"offered"},
        "chosen": {"chosen"},
        "confirmed": {"confirmed"},
        "declined": {"shortlisted", "waiting"},
        "offer_expired": {"shortlisted", "waiting"},
        "ended": {"ended"},
    }
    last = {
        data["match_id"]: name.split(".")[1]
        for name, data in story.scene.events()
        if name.startswith("match.")
    }
    rows = story.scene.rows("SELECT id, state, peer_id FROM matches")
    return all(
        row["state"] in says[last[str(row["id"])]]
        and (row["peer_id"] is not None) >= (row["state"] in HOLDS_A_PLACE)
        for row in rows
    )
