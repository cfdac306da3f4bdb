"""What a clinic does most often."""

from tests.acceptance.hands import Hands
from tests.acceptance.tasks.office import Office, Tasks


def refer_somebody(hands: Hands, office: Office) -> None:
    hands.begin("/referrals/")
    hands.follow("Refer somebody")
    hands.type("Given name", "Amy")
    hands.type("Family name", "Baxter")
    hands.type("Date of birth", "02201987")
    hands.type("Another language (optional)", office.place.language)
    hands.type("Postal code", "74103")
    hands.type("E-mail (optional)", "amy@clients.example")
    hands.type("In their own words (optional)", "Somebody who knows grief")
    hands.tick("Grief")
    hands.choose("Yes")
    hands.follow("Send the referral")
    assert hands.sees("Amy Baxter")
    assert hands.sees("Sent on with the person's consent")


def find_a_referral_in_the_list(hands: Hands, office: Office) -> None:
    _, name = office.referral()
    hands.begin("/referrals/")
    hands.follow(name)
    assert hands.sees("What has happened")


def see_how_far_it_has_come(hands: Hands, office: Office) -> None:
    referral_id = office.shortlisted()
    office.story.wait_for_step(referral_id, "shortlisted")
    hands.begin("/referrals/")
    hands.page.goto(f"/referrals/{referral_id}")
    assert hands.sees("Peers were suggested to the coordinator")
    hands.follow("Referrals")


def see_only_those_not_accepted_yet(hands: Hands, office: Office) -> None:
    _, name = office.referral()
    hands.begin("/referrals/")
    link = hands.page.get_by_role("link", name="With the coordinator").first.inner_text()
    hands.follow(" ".join(link.split()))
    assert hands.sees(name)


def note_that_the_person_has_agreed(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral(consent=None)
    hands.begin(f"/referrals/{referral_id}")
    hands.follow("Note the consent")
    assert hands.sees("Sent on with the person's consent")


def answer_a_question(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral()
    path = f"/api/referrals/referrals/{referral_id}"
    asked = {"asked_for": ["wishes"], "text": "Mornings or evenings?"}
    api = office.story.api
    api.act(path, "request-information", by=office.place.coordinator, body=asked).expect()
    hands.begin(f"/referrals/{referral_id}")
    hands.type("Your answer", "Evenings")
    hands.follow("Send the answer")
    assert hands.sees("Answer: Evenings")


def note_a_pause(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral()
    hands.begin(f"/referrals/{referral_id}")
    hands.open("Note a pause")
    hands.pick("Reason", "In hospital")
    hands.follow("Note the pause")
    assert hands.sees("The person takes a pause")


def note_that_the_person_goes_on(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral()
    path = f"/api/referrals/referrals/{referral_id}"
    office.story.api.act(path, "pause", by=office.place.clinic, body={}).expect()
    hands.begin(f"/referrals/{referral_id}")
    hands.follow("The person goes on")
    assert hands.sees("The person goes on (clinic)")


def withdraw_a_referral(hands: Hands, office: Office) -> None:
    referral_id, _ = office.referral()
    hands.begin(f"/referrals/{referral_id}")
    hands.open("Withdraw this referral")
    hands.follow("Withdraw it")
    assert hands.sees("Withdrawn")


def sign_out(hands: Hands, office: Office) -> None:
    assert office.place
    hands.begin("/referrals/")
    hands.follow("Sign out")
    assert hands.sees("You are signed out")


TASKS: Tasks = {
    "Refer somebody": refer_somebody,
    "Find a referral in the list": find_a_referral_in_the_list,
    "See how far it has come": see_how_far_it_has_come,
    "See only those that the coordinator has not answered yet": see_only_those_not_accepted_yet,
    "Note that the person has agreed": note_that_the_person_has_agreed,
    "Answer the coordinator's question": answer_a_question,
    "Note that the person takes a pause": note_a_pause,
    "Note that the person goes on": note_that_the_person_goes_on,
    "Withdraw a referral": withdraw_a_referral,
    "Sign out": sign_out,
}
