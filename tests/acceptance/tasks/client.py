"""What a client does most often, all by links in messages."""

from tests.acceptance.hands import Hands
from tests.acceptance.tasks.office import Office, Tasks


def choose_a_peer(hands: Hands, office: Office) -> None:
    matched = office.offered()
    hands.begin(office.link_to(matched.client_email))
    button = hands.page.get_by_role("button", name="Choose").first.inner_text()
    hands.follow(button)
    assert hands.sees("We ask the person you chose")


def choose_nobody(hands: Hands, office: Office) -> None:
    matched = office.offered()
    hands.begin(office.link_to(matched.client_email))
    hands.follow("None of them")
    assert hands.sees("You keep your place in the queue")


def see_where_things_stand(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    hands.begin(office.own_link(matched))
    assert hands.sees("You can meet")
    assert hands.sees("What has happened")


def take_a_pause(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    hands.begin(office.own_link(matched))
    hands.open("Take a pause")
    hands.follow("Begin the pause")
    assert hands.sees("It lasts until you say so")


def go_on(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    path = f"/api/referrals/referrals/{matched.referral_id}"
    office.story.api.act(path, "pause", by=office.place.clinic, body={}).expect()
    hands.begin(office.own_link(matched))
    hands.follow("Go on now")
    assert hands.sees("You can meet")


def ask_for_somebody_else(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    hands.begin(office.own_link(matched))
    hands.open("I would like somebody else")
    hands.follow("Look for somebody else")
    assert hands.sees("You asked for somebody else")


def take_consent_back_and_give_it_again(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    hands.begin(office.own_link(matched))
    hands.open("What you agreed to")
    hands.follow("I no longer agree")
    assert hands.sees("Nothing happens until you agree")
    hands.follow("I agree")
    assert hands.sees("You agreed again")


def move_a_session(hands: Hands, office: Office) -> None:
    hands.begin(_session(office))
    hands.follow("Change to this time")
    assert hands.sees("The session has a new time")


def cancel_a_session(hands: Hands, office: Office) -> None:
    hands.begin(_session(office))
    hands.follow("Cancel the session")
    assert hands.sees("The session is cancelled")


def stop_the_support(hands: Hands, office: Office) -> None:
    matched, _ = office.confirmed()
    hands.begin(office.own_link(matched))
    hands.open("I no longer want this support")
    hands.follow("Stop this support")
    assert hands.sees("You are welcome back at any time")


def _session(office: Office) -> str:
    matched, _ = office.confirmed()
    office.booked(matched)
    email = matched.client_email
    assert email

    def found() -> str | None:
        letters = office.story.mailbox.letters(email)
        paths = [link for letter in letters for link in letter.links if "/l/s-" in link]
        return paths[-1] if paths else None

    return office.story.wait("the letter about the session", found)


TASKS: Tasks = {
    "Choose a peer": choose_a_peer,
    "Choose none of them": choose_nobody,
    "See where things stand": see_where_things_stand,
    "Take a pause": take_a_pause,
    "Go on": go_on,
    "Ask for somebody else": ask_for_somebody_else,
    "Take the consent back, and give it again": take_consent_back_and_give_it_again,
    "Move a session": move_a_session,
    "Cancel a session": cancel_a_session,
    "Stop the support": stop_the_support,
}
