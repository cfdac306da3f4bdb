"""The main job's steps through the outside interface, each by whoever takes it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from deploy.region.api import Account, Api, Refused, items
from deploy.region.forms import forms_of
from deploy.region.mailbox import Letter, Mailbox
from deploy.region.people import TIME_ZONE

_POLL_SECONDS = 0.05
_WINDOW = timedelta(days=14)
T = TypeVar("T")


class StepMissing(Exception):
    """What a step should have brought did not come in time."""


@dataclass
class Story:
    """One referral's way; `read` holds the letters that were taken out of the mailbox."""

    api: Api
    mailbox: Mailbox
    clinic: Account
    coordinator: Account
    step_seconds: float = 20.0
    read: set[Path] = field(default_factory=set)

    def submit(self, referral: dict[str, Any]) -> dict[str, Any]:
        path = "/api/referrals/referrals"
        return self._told(self.api.call("POST", path, by=self.clinic, body=referral).expect(201))

    def consent(self, referral_id: str, consent: dict[str, Any]) -> None:
        self.api.act(_referral(referral_id), "consent", by=self.clinic, body=consent).expect()

    def accept(self, referral_id: str) -> None:
        self.api.act(_referral(referral_id), "accept", by=self.coordinator).expect()

    def seen_by_clinic(self, referral_id: str) -> dict[str, Any]:
        return self._told(self.api.get(_referral(referral_id), by=self.clinic).expect(200))

    def shortlist(self, referral_id: str) -> dict[str, Any]:
        """Wait until matching has ranked."""
        path = f"/api/matching/referrals/{referral_id}/shortlist"

        def ranked() -> dict[str, Any] | None:
            reply = self.api.get(path, by=self.coordinator)
            return self._told(reply) if reply.status == 200 and reply.body["candidates"] else None

        return self.wait("the shortlist", ranked)

    def offer(self, referral_id: str, **choice: Any) -> dict[str, Any]:
        resource = f"/api/matching/referrals/{referral_id}"
        etag = self.api.get(f"{resource}/shortlist", by=self.coordinator).expect(200).etag or "*"
        seen = {"If-Match": etag}
        path = f"{resource}/offer"
        reply = self.api.call("POST", path, by=self.coordinator, body=choice, headers=seen)
        return self._told(reply.expect(201))

    def match(self, match_id: str) -> dict[str, Any]:
        path = f"/api/matching/matches/{match_id}"
        return self._told(self.api.get(path, by=self.coordinator).expect(200))

    def wait_for_match(self, match_id: str, state: str) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            match = self.match(match_id)
            return match if match["state"] == state else None

        return self.wait(f"a match that is {state}", reached)

    def times(self, match_id: str, minutes: int = 50) -> list[dict[str, Any]]:
        """Wait until there are times that suit both, in the next two weeks."""
        now = datetime.now(UTC).replace(microsecond=0)
        window = {"from": rfc3339(now), "to": rfc3339(now + _WINDOW), "minutes": minutes}
        path = f"/api/scheduling/matches/{match_id}/times"

        def found() -> list[dict[str, Any]] | None:
            reply = self.api.get(path, by=self.coordinator, **window)
            return items(reply.body) if reply.status == 200 else None

        return self.wait("a time that suits both", found)

    def book(self, match_id: str, starts_at: str, minutes: int = 50) -> dict[str, Any]:
        body = {"match_id": match_id, "starts_at": starts_at, "minutes": minutes}
        path = "/api/scheduling/sessions"
        reply = self.api.call("POST", path, by=self.coordinator, body=body)
        return self._told(reply.expect(201))

    def messages(self, referral_id: str) -> list[dict[str, Any]]:
        path = "/api/notifications/messages"
        return list(self.api.all(path, by=self.coordinator, referral_id=referral_id))

    def wait_for_message(
        self, referral_id: str, state: str, *, to: str, **facts: Any
    ) -> dict[str, Any]:
        """Wait until the ledger has a message to this role in this state, with these facts."""
        wanted = {"state": state, **facts}

        def found() -> dict[str, Any] | None:
            known = [one for one in self.messages(referral_id) if one["recipient"]["role"] == to]
            return next((one for one in known if wanted.items() <= one.items()), None)

        return self.wait(f"a message to the {to} that is {state}", found)

    def wait_for_step(self, referral_id: str, word: str) -> list[Any]:
        """Wait until the clinic's timeline tells it, by a word of the step's name."""

        def told() -> list[Any] | None:
            timeline: list[Any] = self.seen_by_clinic(referral_id)["timeline"]
            return timeline if any(word in entry["step"] for entry in timeline) else None

        return self.wait(f"'{word}' on the clinic's timeline", told)

    def letter(self, recipient: str, *, with_calendar: bool = False) -> Letter:
        """Wait for a letter with a link, or with a calendar entry, that was not taken out yet."""

        def arrived() -> Letter | None:
            letters = self.mailbox.letters(recipient, before=self.read)
            for letter in letters:
                if letter.calendar is not None if with_calendar else letter.links:
                    return letter
            return None

        letter = self.wait("a letter", arrived)
        self.read.add(letter.path)
        return letter

    def use_link(self, letter: Letter) -> None:
        """Open the letter's link and press the first button of its page."""
        path = letter.links[0]
        page = self.api.show_link(path).expect(200)
        self.api.send_form(forms_of(page.text)[0], path).expect(200, 303)

    def wait(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until there is something; a moment's trouble on the way is waited out."""
        until = time.monotonic() + self.step_seconds
        trouble: Exception | None = None
        while time.monotonic() < until:
            try:
                found = look()
            except Refused as refused:
                trouble = refused
            else:
                if found:
                    return found
            time.sleep(_POLL_SECONDS)
        raise StepMissing(f"{what} did not come within {self.step_seconds:.0f} s") from trouble

    def _told(self, reply: Any) -> dict[str, Any]:
        return dict(reply.body)


def a_referral(**changes: Any) -> dict[str, Any]:
    """An invented client, another one at each call, whose consent is still to come."""
    mark = uuid4()
    born = date(1960, 1, 1) + timedelta(days=mark.int % 14_000)
    client = {
        "given_name": "Wilhelmina",
        "family_name": "Walkthrough",
        "preferred_name": "Billie",
        "birth_date": born.isoformat(),
        "record_number": f"DEMO-{mark.hex[:8].upper()}",
        "email": f"walk-{mark.hex[:12]}@clients.example",
        "preferred_channel": "email",
        "languages": ["en"],
        "time_zone": TIME_ZONE,
        "postal_code": "74066",
    }
    referral = {
        "wishes": "Someone to talk to who knows what starting over is like.",
        "modes": ["in-person", "video"],
        "urgency": "routine",
        "consent": None,
        "treatment_plan": {"reference": f"PLAN-{mark.hex[:6].upper()}", "goal": "More company"},
    }
    return {**referral, **changes, "client": client | changes.get("client", {})}


def a_consent() -> dict[str, Any]:
    """To everything, for a year from today."""
    today = datetime.now(UTC).date()
    return {
        "given_on": today.isoformat(),
        "scope": ["matching", "scheduling", "notification", "progress-to-clinic"],
        "with": ["peer-organisations"],
        "until": (today + timedelta(days=365)).isoformat(),
    }


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _referral(referral_id: str) -> str:
    return f"/api/referrals/referrals/{referral_id}"
