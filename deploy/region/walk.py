"""One referral walked from the clinic's submission to the peer's delivered schedule notice."""

import time
from collections.abc import Callable

from deploy.region import demo_file
from deploy.region.accounts import COORDINATOR, client_account, clinic_account
from deploy.region.api import Api
from deploy.region.mailbox import Mailbox
from deploy.region.people import CEDAR
from deploy.region.story import Story, a_consent, a_referral
from deploy.region.system import System


def walk(system: System, say: Callable[[str], None] | None = None) -> None:
    """Walk one referral and say each step with its time; StepMissing when one does not come."""
    mailbox = Mailbox(system.mail_folder)
    clinic = clinic_account(CEDAR)
    story = Story(Api(system), mailbox, clinic, COORDINATOR, read=mailbox.paths())
    _Walk(system, story, say or _print_at_once).walk()


class _Walk:
    def __init__(self, system: System, story: Story, say: Callable[[str], None]) -> None:
        self.system = system
        self.story = story
        self.say = say
        self.began = time.monotonic()

    def walk(self) -> None:
        referral_id, email = self.refer()
        match_id = self.offer(referral_id)
        peer_id = self.agree(match_id, email)
        self.meet(referral_id, match_id, peer_id)

    def refer(self) -> tuple[str, str]:
        body = a_referral()
        referral = self.story.submit(body)
        client = client_account(CEDAR, referral["client_id"])
        demo_file.add_client(self.system.run_folder, client)
        self.done("The clinic submits a referral; it waits for the client's consent")
        self.story.consent(referral["id"], a_consent())
        self.done("The client's consent is recorded; the referral goes on its way")
        self.story.accept(referral["id"])
        self.done("The coordinator accepts the referral")
        return referral["id"], body["client"]["email"]

    def offer(self, referral_id: str) -> str:
        shortlist = self.story.shortlist(referral_id)
        count = len(shortlist["candidates"])
        self.done(f"Matching has a shortlist of {count} peers, each with reasons")
        self.story.offer(referral_id)
        self.done("The coordinator offers the first peer, and others to choose from")
        return str(shortlist["match_id"])

    def agree(self, match_id: str, client_email: str) -> str:
        letter = self.story.letter(client_email)
        self.done("The client's letter arrives, with a link")
        self.story.use_link(letter)
        self.done("The client opens the link and chooses, without an account")
        match = self.story.wait_for_match(match_id, "chosen")
        letter = self.story.letter(self.email_of(match["peer_id"]))
        self.done("The peer's letter arrives, with a link")
        self.story.use_link(letter)
        self.story.wait_for_match(match_id, "confirmed")
        self.done("The peer opens the link and accepts; the match is confirmed")
        return str(match["peer_id"])

    def meet(self, referral_id: str, match_id: str, peer_id: str) -> None:
        first = self.story.times(match_id)[0]["starts_at"]
        self.done(f"Scheduling finds times that suit both; the first is {first}")
        session = self.story.book(match_id, first)
        self.done("The first session is booked")
        about = {"kind": "session-booked", "session_id": session["id"]}
        self.story.wait_for_message(referral_id, "delivered", to="peer", **about)
        self.story.letter(self.email_of(peer_id), with_calendar=True)
        self.done("The peer's schedule notice is delivered, with its calendar entry")
        steps = self.story.wait_for_step(referral_id, "booked")
        self.done(f"The clinic sees the booked session on a timeline of {len(steps)} steps")

    def email_of(self, peer_id: str) -> str:
        path = f"/api/matching/peers/{peer_id}"
        return str(self.story.api.get(path, by=COORDINATOR).expect(200).body["email"])

    def done(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:6.2f} s  {what}")


def _print_at_once(line: str) -> None:
    print(line, flush=True)
