"""Walks through the main job by the public API: whole ones, short ones, and changes of peers."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import urllib3

from deploy.region.api import Account, Api, Refused, Reply
from deploy.region.forms import forms_of
from deploy.region.people import DAYTIME, TIME_ZONE
from deploy.region.story import rfc3339
from tests.acceptance.clients import Peer, Place
from tests.chaos.ledger import Ledger
from tests.chaos.letters import Letters

_POLL_SECONDS = 0.3
_STEP_SECONDS = 30.0
_SOON = timedelta(seconds=6)
_STALE = 412
T = TypeVar("T")


class Abandoned(Exception):
    """A step was refused, unanswered or did not come in time: this walk ends here."""


@dataclass
class Region:
    """One place with its peers; the second has none, so that nobody is found there."""

    place: Place
    peers: list[Peer]
    lonely: Place


@dataclass
class Walk:
    api: Api
    ledger: Ledger
    letters: Letters
    region: Region
    rng: random.Random
    stopping: Callable[[], bool]
    referral_id: str = ""
    client_id: str = ""
    email: str = ""
    own_peer: Peer | None = None  # asked for by name, and answers by letter
    place: Place = field(init=False)
    asked: list[str] = field(default_factory=list)
    etag: str | None = None

    def __post_init__(self) -> None:
        self.place = self.region.place

    # ---- short walks ----------------------------------------------------------------------------

    def short(self) -> None:
        """A referral that is corrected, answered and mostly withdrawn."""
        if self.rng.random() < 0.15:
            self.place = self.region.lonely
        self.submit()
        for _ in range(self.rng.randrange(3)):
            self.correct()
        answer = self.rng.random()
        if answer < 0.15:
            self.must("referral.decline", self.coordinator_acts("decline", reason="no-capacity"))
            return
        if answer < 0.35:
            asked = self.coordinator_acts("request-information", asked_for=["wishes"])
            self.must("referral.request-information", asked)
            self.must("referral.provide-information", self.clinic_acts("provide-information"))
        self.accept()
        for _ in range(self.rng.randrange(4)):
            self.correct()
        if self.rng.random() < 0.85:
            self.withdraw()

    def submit(self) -> None:
        body = self.place.referral()
        self.email = body["client"]["email"]
        mark = body["client"]["record_number"]
        path = "/api/referrals/referrals"
        reply = self.ledger.order(
            "referral.submit",
            None,
            lambda: self.api.call("POST", path, by=self.place.clinic, body=body),
            mark=mark,
        )
        if reply is None:
            raise Abandoned("referral.submit")
        self.referral_id, self.client_id = reply.body["id"], reply.body["client_id"]
        self.etag = reply.etag

    def accept(self) -> None:
        self.must("referral.accept", self.coordinator_acts("accept"))

    def correct(self) -> None:
        """Another wish, or another place to live: each is new, so each is told."""
        if self.rng.random() < 0.5:
            at, body = "", {"wishes": f"Somebody to talk to, {uuid4().hex[:8]}."}
        else:
            at, body = "/client", {"preferred_name": f"Bee {uuid4().hex[:8]}"}
        by = self.place.clinic
        self.must("referral.correct", lambda: self.change("PATCH", at, by=by, body=body))

    def withdraw(self) -> None:
        self.must("referral.withdraw", self.clinic_acts("withdraw", reason="no-longer-needed"))

    # ---- whole walks ----------------------------------------------------------------------------

    def whole(self) -> None:
        """From the submission to a session, which is moved, held, cancelled or cut short."""
        if self.rng.random() < 0.4:
            self.own_peer = self.place.add_peer(capacity=1)
            self.region.peers.append(self.own_peer)
        self.submit()
        self.accept()
        match_id = self.match_up()
        session = self.book(match_id)
        ends = [self.reschedule_and_cancel, self.hold, self.end_match, self.leave]
        self.rng.choice(ends)(match_id, session)

    def match_up(self) -> str:
        shortlist = self.wait(self.shortlist, "shortlist")
        offer = self.offer()
        match_id = str(shortlist["match_id"])
        self.choose(match_id, offer)
        peer = self.peer(self.match(match_id)["peer_id"])
        if self.rng.random() < 0.2:
            self.decline(match_id, peer)
            offer = self.offer()
            self.choose(match_id, offer)
            peer = self.peer(self.match(match_id)["peer_id"])
        self.agree(match_id, peer)
        return match_id

    def shortlist(self) -> dict[str, Any] | None:
        path = f"/api/matching/referrals/{self.referral_id}/shortlist"
        reply = self.api.get(path, by=self.place.coordinator)
        return dict(reply.body) if reply.status == 200 and reply.body["candidates"] else None

    def offer(self) -> dict[str, Any]:
        """Tried again: where the shortlist is older than the acceptance, it is refused at first."""
        resource = f"/api/matching/referrals/{self.referral_id}"
        shortlist = self.wait(self.shortlist, "shortlist")
        by = self.place.coordinator
        choice = {}
        if self.own_peer and self.own_peer.id not in self.asked:
            choice = {"peer_id": self.own_peer.id, "reason": "asked for by name"}
            self.asked.append(self.own_peer.id)

        def ask() -> Reply:
            etag = self.api.get(f"{resource}/shortlist", by=by).expect(200).etag or "*"
            return self.api.call(
                "POST", f"{resource}/offer", by=by, body=choice, headers={"If-Match": etag}
            )

        reply = self.wait(
            lambda: self.ledger.order("match.offer", shortlist["match_id"], ask), "match.offer"
        )
        return dict(reply.body)

    def choose(self, match_id: str, offer: dict[str, Any]) -> None:
        if self.rng.random() < 0.4:
            self.press("match.choose", match_id, self.email, "choose")
            return
        path = f"/api/matching/offers/{offer['offer_id']}/choose"
        by = self.place.client(self.client_id)
        self.must("match.choose", lambda: self.api.call("POST", path, by=by, body={}), match_id)

    def agree(self, match_id: str, peer: Peer) -> None:
        if peer is self.own_peer:
            self.press("match.accept", match_id, peer.email, "accept")
            return
        path = f"/api/matching/matches/{match_id}/accept"
        ask = lambda: self.api.call("POST", path, by=peer.account, body={})  # noqa: E731
        self.must("match.accept", ask, match_id)

    def decline(self, match_id: str, peer: Peer) -> None:
        path = f"/api/matching/matches/{match_id}/decline"
        ask = lambda: self.api.call("POST", path, by=peer.account, body={})  # noqa: E731
        self.must("match.decline", ask, match_id)

    def press(self, command: str, match_id: str, recipient: str, action: str) -> None:
        """Open the letter's link and press its button, without an account."""
        send = self.wait(lambda: self.open_link(recipient, action), f"letter to {action}")
        if self.ledger.order(command, match_id, send, by_link=True) is None:
            raise Abandoned(command)

    def open_link(self, recipient: str, action: str) -> Callable[[], Reply] | None:
        """A letter's link that still asks, and sending its form by this button."""
        link = self.letters.next_link(recipient)
        page = self.api.show_link(link) if link else None
        for form in forms_of(page.text) if page and page.status == 200 else ():
            for position, (name, value) in enumerate(form.buttons):
                if link and action in (name, value):
                    return partial(self.api.send_form, form, link, button=position)
        return None

    def book(self, match_id: str) -> dict[str, Any]:
        times = self.wait(lambda: self.times(match_id), "times")
        starts_at = self.rng.choice(times[:6])["starts_at"]
        reply = self.order_booking(match_id, starts_at=starts_at)
        if reply is None:  # somebody was faster, which is what racing for the first times is for
            starts_at = self.rng.choice(self.wait(lambda: self.times(match_id), "times"))[
                "starts_at"
            ]
            reply = self.order_booking(match_id, starts_at=starts_at)
        if reply is None:
            raise Abandoned("session.book")
        return dict(reply.body)

    def order_booking(self, match_id: str, **body: Any) -> Reply | None:
        path, by = "/api/scheduling/sessions", self.place.coordinator
        sent = {"match_id": match_id, "minutes": 50, **body}
        return self.ledger.order(
            "session.book",
            None,
            lambda: self.api.call("POST", path, by=by, body=sent),
            match_id=match_id,
        )

    def times(self, match_id: str) -> list[dict[str, Any]] | None:
        now = datetime.now(UTC).replace(microsecond=0)
        window = {"from": rfc3339(now), "to": rfc3339(now + timedelta(days=9)), "minutes": 50}
        path = f"/api/scheduling/matches/{match_id}/times"
        reply = self.api.get(path, by=self.place.coordinator, **window)
        return list(reply.body["items"]) if reply.status == 200 else None

    def reschedule_and_cancel(self, match_id: str, session: dict[str, Any]) -> None:
        path = f"/api/scheduling/sessions/{session['id']}"
        by = self.place.coordinator
        later = self.wait(lambda: self.times(match_id), "times")[-1]["starts_at"]
        body = {"starts_at": later}
        moved = lambda: self.api.act(path, "reschedule", by=by, body=body)  # noqa: E731
        self.must("session.reschedule", moved, session["id"])
        if self.rng.random() < 0.6:
            by = self.place.client(self.client_id)
            gone = lambda: self.api.call("POST", f"{path}/cancel", by=by, body={})  # noqa: E731
            self.must("session.cancel", gone, session["id"])

    def hold(self, match_id: str, _: dict[str, Any]) -> None:
        """A session that begins at once, so that it can be told how it went."""
        starts_at = datetime.now(UTC) + _SOON
        body = {"starts_at": rfc3339(starts_at), "outside_availability": True, "minutes": 15}
        reply = self.order_booking(match_id, **body)
        if reply is None:
            raise Abandoned("session.book")
        session_id = reply.body["id"]
        time.sleep(max((starts_at - datetime.now(UTC)).total_seconds() + 1, 0))
        path, by = f"/api/scheduling/sessions/{session_id}", self.place.coordinator
        ask = lambda: self.api.act(path, "outcome", by=by, body={"outcome": "held"})  # noqa: E731
        self.must("session.outcome", ask, session_id)

    def end_match(self, match_id: str, _: dict[str, Any]) -> None:
        path = f"/api/matching/matches/{match_id}/end"
        body = {"reason": self.rng.choice(["client-choice", "another-peer"])}
        by = self.place.client(self.client_id)
        ask = lambda: self.api.call("POST", path, by=by, body=body)  # noqa: E731
        self.must("match.end", ask, match_id)

    def leave(self, _: str, __: dict[str, Any]) -> None:
        self.withdraw()

    # ---- peers ----------------------------------------------------------------------------------

    def change_peer(self) -> None:
        """Other places, another name, other hours."""
        peer = self.rng.choice(self.region.peers)
        path, by = f"/api/matching/peers/{peer.id}", self.place.coordinator
        body = {"display_name": f"Pretend Peer {uuid4().hex[:6]}"}
        ask = lambda: self.api.change("PATCH", path, by=by, body=body)  # noqa: E731
        self.must("peer.change", ask, peer.id)
        hours = {"time_zone": TIME_ZONE, "weekly": DAYTIME, "exceptions": []}
        path = f"/api/scheduling/people/{peer.id}/availability"
        ask = lambda: self.api.call("PUT", path, by=peer.account, body=hours)  # noqa: E731
        self.must("availability.put", ask, peer.id)

    # ---- how a step is taken --------------------------------------------------------------------

    @property
    def resource(self) -> str:
        return f"/api/referrals/referrals/{self.referral_id}"

    def coordinator_acts(self, action: str, **body: Any) -> Callable[[], Reply]:
        by = self.place.coordinator
        return lambda: self.change("POST", f"/{action}", by=by, body=body)

    def clinic_acts(self, action: str, **body: Any) -> Callable[[], Reply]:
        by = self.place.clinic
        return lambda: self.change("POST", f"/{action}", by=by, body=body)

    def change(self, method: str, at: str, *, by: Account, body: Any) -> Reply:
        """Change the referral as we last saw it, or as it is by now."""
        seen = {"If-Match": self.etag or ""}
        reply = self.api.call(method, f"{self.resource}{at}", by=by, body=body, headers=seen)
        if reply.status == _STALE:
            reply = self.api.change(method, self.resource, by=by, body=body, at=at)
        self.etag = reply.etag
        return reply

    def must(self, command: str, ask: Callable[[], Reply], subject: str = "") -> Reply:
        reply = self.ledger.order(command, subject or self.referral_id, ask)
        if reply is None:
            raise Abandoned(command)
        return reply

    def match(self, match_id: str) -> dict[str, Any]:
        path = f"/api/matching/matches/{match_id}"
        return dict(self.api.get(path, by=self.place.coordinator).expect(200).body)

    def peer(self, peer_id: str) -> Peer:
        return next(peer for peer in self.region.peers if peer.id == peer_id)

    def wait(self, look: Callable[[], T | None], what: str) -> T:
        until = time.monotonic() + _STEP_SECONDS
        while time.monotonic() < until and not self.stopping():
            try:
                found = look()
            except (Refused, urllib3.exceptions.HTTPError):
                found = None
            if found:
                return found
            time.sleep(_POLL_SECONDS)
        raise Abandoned("stopped" if self.stopping() else what)
