"""What a coordinator does most often."""

from tests.acceptance.hands import Hands
from tests.acceptance.tasks.office import Office, Tasks


def see_what_the_day_holds(hands: Hands, office: Office) -> None:
    office.offered()
    hands.begin("/")
    assert hands.sees("have waited longer than")
    link = hands.page.get_by_role("link", name="were asked and have not answered yet")
    hands.follow(" ".join(link.inner_text().split()))
    assert hands.sees("The person is choosing")


def take_a_referral_on(hands: Hands, office: Office) -> None:
    _, name = office.referral()
    hands.begin("/referrals/")
    hands.follow(name)
    hands.follow("Accept this referral")
    assert hands.sees("Accepted (coordinator)")


def ask_the_clinic(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral()
    hands.begin(f"/referrals/{referral_id}")
    hands.open("Ask the clinic something")
    hands.tick("What the person wants")
    hands.type("Your question", "Mornings or evenings?")
    hands.follow("Send the question")
    assert hands.sees("Mornings or evenings?")


def key_in_a_referral_from_the_phone(hands: Hands, office: Office) -> None:
    hands.begin("/referrals/")
    hands.follow("Refer somebody")
    hands.pick("How did it come?", "By phone")
    hands.type("Given name", "Bea")
    hands.type("Family name", "Rang")
    hands.type("Date of birth", "03041979")
    hands.type("Another language (optional)", office.place.language)
    hands.type("Postal code", "74103")
    hands.type("Phone (optional)", "918 555 0123")
    hands.choose("Yes")
    hands.follow("Send the referral")
    assert hands.sees("Bea Rang")


def offer_the_first_peer(hands: Hands, office: Office) -> None:
    referral_id = office.shortlisted()
    hands.begin(f"/matching/referrals/{referral_id}")
    button = hands.page.get_by_role("button", name="Offer").first.inner_text()
    hands.follow(button)
    assert hands.sees("The person is choosing")


def note_the_persons_choice(hands: Hands, office: Office) -> None:
    matched = office.offered()
    hands.begin(f"/matching/referrals/{matched.referral_id}")
    hands.open("The person told us whom they choose")
    hands.pick("How did they say so?", "By phone")
    hands.follow("Note their choice")
    assert hands.sees("The peer is asked")


def note_the_peers_yes(hands: Hands, office: Office) -> None:
    matched = office.chosen()
    hands.begin(f"/matching/referrals/{matched.referral_id}")
    hands.follow("The peer said yes")
    assert hands.sees("Matched")


def pass_on_a_message_by_phone(hands: Hands, office: Office) -> None:
    reached = {"preferred_channel": "phone", "phone": "+19185550123", "email": None}
    matched = office.offered(client=reached)
    office.story.wait_for_message(matched.referral_id, "needs-staff", to="client")
    hands.begin("/")
    hands.follow("Messages")
    assert hands.sees("Please call")
    hands.follow("They were told")
    office.story.wait_for_message(matched.referral_id, "delivered", to="client")


def finish_what_waits(hands: Hands, office: Office) -> None:
    office.referral(client={"email": None, "preferred_channel": "phone"})
    hands.begin("/referrals/tasks")
    waiting = hands.page.get_by_role("button", name="Done")
    before = waiting.count()
    hands.follow(" ".join(waiting.first.inner_text().split()))
    assert hands.page.get_by_role("button", name="Done").count() == before - 1


def see_which_peers_take_new_people(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin("/")
    hands.follow("Peers")
    assert hands.sees("Takes new people")


TASKS: Tasks = {
    "See what the day holds, and who was asked": see_what_the_day_holds,
    "Take a referral on": take_a_referral_on,
    "Ask the clinic something": ask_the_clinic,
    "Key in a referral that came by phone": key_in_a_referral_from_the_phone,
    "Offer the first peer on the shortlist": offer_the_first_peer,
    "Note whom the person chose": note_the_persons_choice,
    "Note the peer's yes": note_the_peers_yes,
    "Pass on a message by phone": pass_on_a_message_by_phone,
    "Finish what waits for one's hand": finish_what_waits,
    "See which peers take new people": see_which_peers_take_new_people,
}
