"""A clinic, a peer organisation and people, brought by the API to where a task begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from deploy.region.story import Story, rfc3339
from services.chassis.work import system_clock
from tests.acceptance import clients
from tests.acceptance.clients import Matched, Peer, Place
from tests.acceptance.hands import Hands


@dataclass
class Office:
    """What stands ready before somebody sits down to their task; each name is another person's."""

    place: Place
    story: Story
    peer: Peer
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"Person{self.count}"

    def referral(self, **changes: Any) -> tuple[str, str]:
        """A referral as a clinic sends it: its id, and how the person is called."""
        name = self.name()
        client = {"given_name": name, "preferred_name": name, **changes.pop("client", {})}
        body = self.place.referral(client=client, **changes)
        return str(self.story.submit(body)["id"]), f"{name} Walkthrough"

    def shortlisted(self, **changes: Any) -> str:
        referral_id, _ = self.referral(**changes)
        self.story.accept(referral_id)
        self.story.shortlist(referral_id)
        return referral_id

    def offered(self, **changes: Any) -> Matched:
        choice = {"peer_id": self.peer.id, "reason": "asked for by name"}
        return clients.offer(self.place, self.story, choice=choice, **changes)

    def chosen(self) -> Matched:
        matched = self.offered()
        clients.choose(self.place, self.story, matched).expect()
        return matched

    def confirmed(self) -> tuple[Matched, str]:
        """A match with the office's peer, and how the peer calls the person."""
        name = self.name()
        named = {"preferred_name": name, "given_name": name}
        return clients.confirm(self.place, self.story, self.peer, client=named), name

    def booked(self, matched: Matched) -> dict[str, Any]:
        times = self.story.times(matched.match_id)
        return self.story.book(matched.match_id, times[0]["starts_at"])

    def logged(self, minutes: int = 30) -> None:
        started = system_clock().replace(microsecond=0) - timedelta(hours=self.count + 1)
        body = {
            "kind": "conversation",
            "setting": "phone",
            "minutes": minutes,
            "started_at": rfc3339(started),
        }
        path = "/api/scheduling/contacts"
        self.story.api.call("POST", path, by=self.peer.account, body=body).expect(201)

    def link_to(self, email: str | None) -> str:
        """The path of the newest letter's link."""
        assert email
        return urlsplit(self.story.letter(email).links[0]).path

    def own_link(self, matched: Matched) -> str:
        """The client's own page, as the letter about the match names it."""
        email = matched.client_email
        assert email

        def found() -> str | None:
            paths = [
                link
                for letter in self.story.mailbox.letters(email)
                for link in letter.links
                if urlsplit(link).path.startswith("/l/r-")
            ]
            return paths[-1] if paths else None

        return self.story.wait("a letter with the link to one's own page", found)


Tasks = dict[str, Callable[[Hands, Office], None]]


def open_office(place: Place) -> Office:
    return Office(place, place.story(), place.add_peer(display_name=f"Peer {uuid4().hex[:4]}"))
