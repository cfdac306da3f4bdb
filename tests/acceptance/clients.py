"""Small clients of the outside: they know the contract and openapi.json, nothing behind them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import urllib3

from deploy.region.api import Account, Api, Reply
from deploy.region.forms import forms_of
from deploy.region.mailbox import Mailbox
from deploy.region.people import DAYTIME, TIME_ZONE
from deploy.region.story import Story, a_consent, a_referral
from tests.acceptance.running import eventually

_AWAY = frozenset({502, 503, 504})
_PATIENCE_SECONDS = 60


class PatientApi(Api):
    """Asks again while something is away, as the contract allows: under one Idempotency-Key."""

    def call(
        self,
        method: str,
        path: str,
        *,
        by: Account | None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if method != "GET":
            sent.setdefault("Idempotency-Key", str(uuid4()))
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                reply = super().call(method, path, by=by, body=body, headers=sent)
            except urllib3.exceptions.HTTPError:
                if time.monotonic() > until:
                    raise
            else:
                if not _asks_for_patience(reply) or time.monotonic() > until:
                    return reply
            time.sleep(0.1)


def _asks_for_patience(reply: Reply) -> bool:
    return reply.status in _AWAY or (
        reply.status == 409 and reply.body["type"].endswith(":still-running")
    )


@dataclass(frozen=True)
class Peer:
    id: str
    email: str
    account: Account


@dataclass
class Place:
    """A clinic and a peer organisation of one test alone, and the coordinator who serves both.

    Its language is spoken nowhere else, so that no other test's peers are found for its clients.
    """

    api: Api
    mailbox: Mailbox
    language: str
    clinic_id: str = field(default_factory=lambda: str(uuid4()))
    peer_organisation_id: str = field(default_factory=lambda: str(uuid4()))
    step_seconds: float = 20.0

    @property
    def orgs(self) -> tuple[str, str]:
        return self.clinic_id, self.peer_organisation_id

    @property
    def clinic(self) -> Account:
        return Account("clinic", f"clinic-{self.clinic_id}", (self.clinic_id,))

    @property
    def coordinator(self) -> Account:
        return Account("coordinator", f"coordinator-{self.clinic_id}", self.orgs)

    @property
    def operator(self) -> Account:
        return Account("operator", f"operator-{self.clinic_id}", self.orgs)

    @property
    def supervisor(self) -> Account:
        return Account("supervisor", f"supervisor-{self.clinic_id}", self.orgs)

    @property
    def clinic_email(self) -> str:
        return f"desk-{self.clinic_id[:13]}@clinics.example"

    def client(self, client_id: str) -> Account:
        return Account("client", f"client-{client_id}", (self.clinic_id,), client_id)

    def open(self, **clinic: Any) -> "Place":
        """Register both organisations."""
        facts = {
            "name": "Made-up Clinic",
            "time_zone": TIME_ZONE,
            "area": "Tulsa",
            "email": self.clinic_email,
            "language": "en",
        }
        self._put(f"/api/referrals/clinics/{self.clinic_id}", facts | clinic)
        organisation = {"name": "Made-up Peers", "time_zone": TIME_ZONE, "area": "Tulsa"}
        path = f"/api/matching/peer-organisations/{self.peer_organisation_id}"
        self._put(path, organisation)
        return self

    def _put(self, path: str, body: dict[str, Any]) -> None:
        self.api.call("PUT", path, by=self.operator, body=body).expect()

    def add_peer(self, *, weekly: list[dict[str, str]] | None = None, **facts: Any) -> Peer:
        """A peer with hours on every working day."""
        mark = uuid4().hex[:12]
        body = {
            "organisation_id": self.peer_organisation_id,
            "display_name": "Pretend Peer",
            "email": f"peer-{mark}@peers.example",
            "languages": [self.language],
            "postal_code": "74103",
            "modes": ["in-person", "video", "phone"],
            "topics": [],
            "capacity": 3,
            "certified_until": (datetime.now(UTC).date() + timedelta(days=400)).isoformat(),
            "time_zone": TIME_ZONE,
            **facts,
        }
        path = "/api/matching/peers"
        reply = self.api.call("POST", path, by=self.coordinator, body=body).expect(201)
        peer_id = reply.body["id"]
        account = Account("peer", f"peer-{peer_id}", (self.peer_organisation_id,), peer_id)
        hours = {"time_zone": TIME_ZONE, "weekly": weekly or DAYTIME, "exceptions": []}
        path = f"/api/scheduling/people/{peer_id}/availability"
        self.api.call("PUT", path, by=account, body=hours).expect()
        return Peer(peer_id, body["email"], account)

    def referral(self, **changes: Any) -> dict[str, Any]:
        """An invented client who speaks this place's language, with consent."""
        client = {"languages": [self.language], "postal_code": "74103"} | changes.pop("client", {})
        return a_referral(**{"consent": a_consent(), **changes, "client": client})

    def story(self) -> Story:
        return Story(
            self.api,
            self.mailbox,
            self.clinic,
            self.coordinator,
            step_seconds=self.step_seconds,
            read=self.mailbox.paths(),
        )


@dataclass(frozen=True)
class Matched:
    """How far a referral of a test has come."""

    referral_id: str
    client_id: str
    client_email: str | None
    match_id: str
    offer_id: str
    peer_id: str


def refer(place: Place, story: Story, **changes: Any) -> dict[str, Any]:
    """A referral with consent that the coordinator has accepted, and its shortlist."""
    body = place.referral(**changes)
    referral = story.submit(body)
    story.accept(referral["id"])
    shortlist = story.shortlist(referral["id"])
    return {"body": body, "referral": referral, "shortlist": shortlist}


def offer(
    place: Place, story: Story, *, choice: Mapping[str, Any] | None = None, **changes: Any
) -> Matched:
    """As far as the offer."""
    referred = refer(place, story, **changes)
    offered = story.offer(referred["referral"]["id"], **(choice or {}))
    return Matched(
        referral_id=referred["referral"]["id"],
        client_id=referred["referral"]["client_id"],
        client_email=referred["body"]["client"].get("email"),
        match_id=offered["match_id"],
        offer_id=offered["offer_id"],
        peer_id=offered["peer_id"],
    )


def choose(place: Place, story: Story, matched: Matched, **choice: Any) -> Reply:
    """The client's choice, by the client's own account."""
    path = f"/api/matching/offers/{matched.offer_id}/choose"
    client = place.client(matched.client_id)
    return story.api.call("POST", path, by=client, body=choice)


def confirm(place: Place, story: Story, peer: Peer, **changes: Any) -> Matched:
    """As far as a confirmed match with the peer, by the accounts of client and peer."""
    asked = {"peer_id": peer.id, "reason": "asked for by name"}
    matched = offer(place, story, choice=asked, **changes)
    choose(place, story, matched).expect()
    accept(story, matched, peer).expect()
    return matched


def accept(story: Story, matched: Matched, peer: Peer) -> Reply:
    path = f"/api/matching/matches/{matched.match_id}/accept"
    return story.api.call("POST", path, by=peer.account, body={})


def press(api: Api, path: str, action: str) -> Reply:
    """Open a link's page and press the button of this name or value."""
    page = api.show_link(path).expect(200)
    for form in forms_of(page.text):
        for position, (name, value) in enumerate(form.buttons):
            if action in (name, value) or action in form.fields.values():
                return api.send_form(form, path, button=position)
    raise AssertionError(f"the page has no button for {action}")


def message_for_staff(place: Place, matched: Matched) -> str:
    """The message about an offer that is told at reception."""
    path = "/api/notifications/messages"
    query = f"?state=needs-staff&referral_id={matched.referral_id}"

    def found() -> list[str]:
        listed = place.story().api.call("GET", path + query, by=place.coordinator).expect()
        return [one["id"] for one in listed.body["items"]]

    return eventually(found, "somebody is to be told at reception")[0]


def a_leave(place: Place, peer: Peer) -> dict[str, Any]:
    """A time away far ahead, with the question to whom the peer meets; both as staff see them."""
    first_day = datetime.now(UTC).date() + timedelta(days=100)
    days = {"first_day": str(first_day), "last_day": str(first_day + timedelta(days=9))}

    def planned() -> dict[str, Any]:
        path = f"/api/scheduling/people/{peer.id}/leave"
        reply = place.api.call("POST", path, by=place.coordinator, body=days).expect(201)
        leave: dict[str, Any] = reply.body
        if leave["questions"]:
            return leave
        # Scheduling has not heard of the match yet.
        path = f"/api/scheduling/leave/{leave['id']}/withdraw"
        tag = {"If-Match": reply.headers["ETag"]}
        place.api.call("POST", path, by=place.coordinator, headers=tag).expect()
        return {}

    return eventually(planned, "whom the peer meets is asked", seconds=20)
