"""What a peer does most often."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from deploy.region.people import TIME_ZONE
from services.chassis.work import system_clock
from tests.acceptance.hands import Hands
from tests.acceptance.running import eventually
from tests.acceptance.tasks.office import Office, Tasks

WEEK, LOG = "/scheduling/", "/scheduling/contacts"


def see_this_week(hands: Hands, office: Office) -> None:
    matched, name = office.confirmed()
    office.booked(matched)

    def is_there() -> bool:
        hands.begin(WEEK)
        return hands.sees(name)

    eventually(is_there, "the week names the person", seconds=20)
    assert hands.sees("What comes next")


def log_a_contact(hands: Hands, office: Office) -> None:
    _, name = office.confirmed()

    def is_there() -> bool:
        hands.begin(WEEK)
        return hands.sees(name)

    eventually(is_there, "the week names the person", seconds=20)
    hands.follow("Log a contact")
    hands.tick(name)
    hands.type("How many minutes?", "30")
    hands.choose("Conversation")
    hands.choose("Phone")
    hands.follow("Log it")
    hands.begin(LOG)
    assert hands.sees("Minutes: 30")


def log_a_contact_with_somebody_else(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin(LOG)
    hands.follow("Log a contact")
    hands.type("How many minutes?", "17")
    hands.choose("Practical help")
    hands.choose("Out and about")
    hands.follow("Log it")
    hands.begin(LOG)
    assert hands.sees("Minutes: 17")


def log_a_group(hands: Hands, office: Office) -> None:
    assert office.peer
    hands.begin(LOG)
    hands.follow("Log a contact")
    hands.type("How many minutes?", "90")
    hands.choose("Doing something together")
    hands.choose("Peer centre")
    hands.choose("A group")
    hands.type("People in the group", "7")
    hands.follow("Log it")
    hands.begin(LOG)
    assert hands.sees("People in the group: 7")


def log_what_was_yesterday(hands: Hands, office: Office) -> None:
    assert office.peer
    yesterday = system_clock().astimezone(ZoneInfo(TIME_ZONE)).date() - timedelta(days=1)
    hands.begin(LOG)
    hands.follow("Log a contact")
    hands.type("How many minutes?", "25")
    hands.choose("Conversation")
    hands.choose("Video")
    hands.type("Day", f"{yesterday:%m%d%Y}")
    hands.type("Began at", "0815AM")
    hands.follow("Log it")
    hands.begin(LOG)
    assert hands.sees("8:15")


def look_at_the_log(hands: Hands, office: Office) -> None:
    office.logged(minutes=44)
    hands.begin(WEEK)
    hands.follow("Contact log")
    assert hands.sees("Minutes: 44")


def take_a_contact_out(hands: Hands, office: Office) -> None:
    office.logged(minutes=44)
    hands.begin(LOG)
    hands.open("Entered by mistake?")
    hands.follow("Take it out")


def see_ones_hours(hands: Hands, office: Office) -> None:
    office.logged(minutes=60)
    hands.begin(LOG)
    hands.follow("This week")
    assert hands.sees("Your hours this week")


def say_yes(hands: Hands, office: Office) -> None:
    office.chosen()
    hands.begin(office.link_to(office.peer.email))
    hands.follow("Yes, I accept")
    assert hands.sees("A time for the first meeting comes next")


def say_not_now(hands: Hands, office: Office) -> None:
    office.chosen()
    hands.begin(office.link_to(office.peer.email))
    hands.follow("Not now")
    assert hands.sees("You need not do anything else")


TASKS: Tasks = {
    "See this week": see_this_week,
    "Log a contact with somebody one meets": log_a_contact,
    "Log a contact with somebody else": log_a_contact_with_somebody_else,
    "Log a group": log_a_group,
    "Log what was yesterday": log_what_was_yesterday,
    "Look at the log": look_at_the_log,
    "Take out what was entered by mistake": take_a_contact_out,
    "See one's hours": see_ones_hours,
    "Say yes to somebody": say_yes,
    "Say not now, without a reason": say_not_now,
}
