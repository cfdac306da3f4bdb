"""What codes are called on scheduling's pages; English here, other languages in words/."""

from collections.abc import Mapping
from typing import Final

from services.chassis.pages import noted

MODE: Final[Mapping[str, str]] = {
    "in-person": noted("in person"),
    "video": noted("by video"),
    "phone": noted("by phone"),
}
STATE: Final[Mapping[str, str]] = {
    "booked": noted("booked"),
    "cancelled": noted("cancelled"),
    "held": noted("they met"),
    "not-held": noted("they did not meet"),
    "unresolved": noted("nobody has said how it went"),
}
CAUSE: Final[Mapping[str, str]] = {
    "client": noted("by the person"),
    "peer": noted("by the peer"),
    "coordinator": noted("by the coordinator"),
    "clinic": noted("by the clinic"),
    "match-ended": noted("their time together ended"),
    "consent-ended": noted("the consent ended"),
    "peer-away": noted("the peer is away"),
}
KIND: Final[Mapping[str, str]] = {
    "conversation": noted("Conversation"),
    "activity": noted("Doing something together"),
    "accompanying": noted("Going along somewhere"),
    "practical-help": noted("Practical help"),
    "planning": noted("Planning"),
    "reaching-out": noted("Tried to reach them"),
}
SETTING: Final[Mapping[str, str]] = {
    "phone": noted("Phone"),
    "video": noted("Video"),
    "message": noted("Messages"),
    "peer-centre": noted("Peer centre"),
    "community": noted("Out and about"),
    "home": noted("Their home"),
    "clinic": noted("Clinic"),
}
FORM: Final[Mapping[str, str]] = {
    "person": noted("One person"),
    "group": noted("A group"),
}
OUTCOME: Final[Mapping[str, str]] = {
    "held": noted("We met"),
    "not-held": noted("We did not meet"),
}
DAY: Final[Mapping[str, str]] = {
    "mon": noted("Monday"),
    "tue": noted("Tuesday"),
    "wed": noted("Wednesday"),
    "thu": noted("Thursday"),
    "fri": noted("Friday"),
    "sat": noted("Saturday"),
    "sun": noted("Sunday"),
}
# What somebody whose peer is away can choose, as they say it …
WISH: Final[Mapping[str, str]] = {
    "wait": noted("I wait until my peer is back"),
    "cover": noted("I would like to meet somebody else meanwhile"),
    "change": noted("I would like to go on with another peer"),
}
# … and as it is said of them.
SAID: Final[Mapping[str, str]] = {
    "wait": noted("Waits until the peer is back"),
    "cover": noted("Meets somebody else meanwhile"),
    "change": noted("Goes on with another peer"),
}
NOT_SAID: Final = noted("Has not said yet")
# What can be wrong with the days of a time away.
DAYS_WRONG: Final = (
    noted("Lies before the first day."),
    noted("Lies more than a year ahead."),
    noted("More than a year is not a time away any more."),
)
# What the events of each aggregate that this service follows are about.
ABOUT: Final[Mapping[str, str]] = {
    "match": noted("About a match"),
    "peer": noted("About a peer"),
    "peer_organisation": noted("About a peer organisation"),
    "clinic": noted("About a clinic"),
    "referral": noted("About a referral"),
}
