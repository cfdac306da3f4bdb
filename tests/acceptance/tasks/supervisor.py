"""What a supervisor does most often."""

from tests.acceptance.hands import Hands
from tests.acceptance.tasks.office import Office, Tasks


def see_who_needs_looking_after(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin("/")
    assert hands.sees("Sessions that nobody has spoken of")
    assert hands.sees("Quiet for longer than")


def see_each_peers_load(hands: Hands, office: Office) -> None:
    office.confirmed()
    hands.begin("/")
    hands.follow("Peers")
    assert hands.sees("1 of 3") or hands.sees("2 of 3") or hands.sees("3 of 3")


def see_whose_certificate_ends(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin("/matching/peers")
    assert hands.sees("Certified until")


def see_who_waits(hands: Hands, office: Office) -> None:
    office.referral()
    hands.begin("/")
    hands.follow("Waiting list")
    assert hands.sees("Days waited:")


def see_why_these_peers(hands: Hands, office: Office) -> None:
    referral_id = office.shortlisted()
    hands.begin("/matching/waiting")
    hands.page.goto(f"/matching/referrals/{referral_id}")
    assert hands.sees("Suggested peers")
    hands.follow("Waiting list")


def see_only_who_is_choosing(hands: Hands, office: Office) -> None:
    office.offered()
    hands.begin("/matching/waiting")
    hands.follow("The person is choosing")
    assert hands.sees("The person is choosing")


def see_only_who_has_nobody(hands: Hands, office: Office) -> None:
    office.referral()
    hands.begin("/matching/waiting")
    hands.follow("No peer fits yet")


def see_who_waits_for_a_peers_answer(hands: Hands, office: Office) -> None:
    office.chosen()
    hands.begin("/matching/waiting")
    hands.follow("The peer is asked")
    assert hands.sees("Days waited:")


def go_back_to_the_first_page(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin("/matching/peers")
    hands.follow("Looking after peers")
    assert hands.sees("Sessions that nobody has spoken of")


def sign_out(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin("/matching/peers")
    hands.follow("Sign out")
    assert hands.sees("You are signed out")


TASKS: Tasks = {
    "See who needs looking after": see_who_needs_looking_after,
    "See each peer's load": see_each_peers_load,
    "See whose certificate ends": see_whose_certificate_ends,
    "See who waits": see_who_waits,
    "See why these peers were suggested": see_why_these_peers,
    "See only those who are choosing": see_only_who_is_choosing,
    "See only those for whom nobody fits yet": see_only_who_has_nobody,
    "See who waits for a peer's answer": see_who_waits_for_a_peers_answer,
    "Go back to the first page": go_back_to_the_first_page,
    "Sign out": sign_out,
}
