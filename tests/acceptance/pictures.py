"""Pictures of the main pages, taken of a system with the demo region: `make pictures`.

On a phone and on a desk; written to docs/pictures/, which the README shows.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from deploy import region
from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.proposing import propose
from deploy.region.api import Account, Api
from deploy.region.mailbox import Mailbox
from tests.acceptance.chrome import DESK, PHONE, Chrome, chrome
from tests.acceptance.clients import Matched, Place, message_for_staff, offer
from tests.acceptance.running import Running
from tests.acceptance.tasks.office import Office, open_office

FOLDER = REPOSITORY / "docs" / "pictures"
_TALLEST = 1600


def main() -> int:
    running = Running(RunFolder(REPOSITORY / ".run" / "pictures"))
    running.clean()
    try:
        running.up()
        region.load(running)
        place = Place(Api(running), Mailbox(running.mail_folder), "vi").open()
        office = open_office(place)
        see_to_something(office)
        propose(running, print)
        with chrome(running) as browser:
            take_all(browser, office)
    finally:
        running.clean()
    return 0


def see_to_something(office: Office) -> None:
    """Two more peers, people who wait for them, and somebody who is told at reception."""
    place = office.place
    for name, topics, words in (
        ("Ana Invented", ["grief"], "I like to walk while we talk."),
        ("Bao Madeup", ["housing", "grief"], "I have a small garden, and time in the mornings."),
    ):
        peer = place.add_peer(display_name=name, topics=topics, capacity=1, story=words)
        shown = {"topics_for_clients": ["grief"]}
        place.api.call(
            "PATCH", f"/api/matching/peers/{peer.id}", by=peer.account, body=shown
        ).expect()
    for urgency in ("routine", "soon", "urgent", "routine"):
        office.shortlisted(topics=["grief"], urgency=urgency)


def take_all(browser: Chrome, office: Office) -> None:
    """A day in the office: something to see on every page."""
    place = office.place
    FOLDER.mkdir(parents=True, exist_ok=True)
    office.referral(urgency="urgent")
    told_there = offer(place, office.story, client={"preferred_channel": "reception"})
    slip = f"/notifications/slips/{message_for_staff(place, told_there)}"
    searched = office.shortlisted(topics=["grief", "housing"])
    offered = office.offered()
    matched, _ = office.confirmed()
    booked = office.booked(matched)
    waits, _ = office.confirmed()
    office.logged()
    question, asked = away(office, matched, waits, booked)
    own = office.own_link(matched)
    choosing = office.link_to(offered.client_email)
    shown: list[tuple[str, Account | None, str]] = [
        ("sign-in", None, "/sign-in"),
        ("clinic-referrals", place.clinic, "/referrals/"),
        ("clinic-refer", place.clinic, "/referrals/new"),
        ("clinic-referral", place.clinic, f"/referrals/{matched.referral_id}"),
        ("coordinator-today", place.coordinator, "/matching/today"),
        ("coordinator-waiting", place.coordinator, "/matching/waiting"),
        ("coordinator-search", place.coordinator, f"/matching/referrals/{searched}"),
        ("coordinator-referral", place.coordinator, f"/referrals/{matched.referral_id}"),
        ("coordinator-proposals", place.coordinator, "/matching/proposals"),
        ("coordinator-messages", place.coordinator, "/notifications/"),
        ("coordinator-slip", place.coordinator, slip),
        ("coordinator-set-aside", place.coordinator, "/notifications/set-aside"),
        ("coordinator-peers", place.coordinator, "/matching/peers"),
        ("coordinator-away", place.coordinator, "/scheduling/away"),
        ("coordinator-away-one", place.coordinator, f"/scheduling/away/{question}"),
        ("peer-hours", office.peer.account, "/scheduling/hours"),
        ("peer-about-me", office.peer.account, "/matching/mine"),
        ("client-peer-away", None, asked),
        ("peer-week", office.peer.account, "/scheduling/"),
        ("peer-contact", office.peer.account, "/scheduling/contacts/new"),
        ("client-choose", None, choosing),
        ("client-own", None, own),
        ("supervisor", place.supervisor, "/scheduling/supervision"),
    ]
    for name, account, path in shown:
        for kind, width in (("phone", PHONE), ("desk", DESK)):
            with browser.visit(account, width=width) as visited:
                visited.page.goto(path)
                take(visited.page, FOLDER / f"{name}-{kind}.png")


def away(
    office: Office, matched: Matched, waits: Matched, booked: dict[str, Any]
) -> tuple[str, str]:
    """The office's peer will be away; one of their people would like to meet somebody else."""
    api, peer, coordinator = office.place.api, office.peer, office.place.coordinator
    day = datetime.fromisoformat(booked["wall_starts_at"]).date()
    days = {"first_day": str(day), "last_day": str(day + timedelta(days=13))}
    path = f"/api/scheduling/people/{peer.id}/leave"
    leave = api.call("POST", path, by=coordinator, body=days).expect(201)
    answer = {"match_id": matched.match_id, "wish": "cover"}
    path = f"/api/scheduling/leave/{leave.body['id']}/answer"
    tag = {"If-Match": leave.headers["ETag"]}
    api.call("POST", path, by=coordinator, body=answer, headers=tag).expect()
    found = {one["match_id"]: one["id"] for one in leave.body["questions"]}

    def letter() -> str | None:
        letters = office.story.mailbox.letters(waits.client_email or "")
        return next((one.links[0] for one in letters if "will be away" in one.text), None)

    asked = office.story.wait("the question by mail", letter)
    return found[matched.match_id], urlsplit(asked).path


def take(page: Page, path: Path) -> None:
    """The whole page, or as much of it as a reader of the documents scrolls through."""
    height = min(page.evaluate("document.documentElement.scrollHeight"), _TALLEST)
    width = page.viewport_size["width"] if page.viewport_size else DESK
    page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=path)


if __name__ == "__main__":
    sys.exit(main())
