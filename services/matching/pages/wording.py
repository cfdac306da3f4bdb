"""What codes are called on matching's pages; English here, other languages in words/."""

from collections.abc import Mapping
from typing import Final

from services.chassis.pages import noted

STATE: Final[Mapping[str, str]] = {
    "waiting": noted("No peer fits yet"),
    "shortlisted": noted("Ready to be offered"),
    "offered": noted("The person is choosing"),
    "chosen": noted("The peer is asked"),
    "confirmed": noted("Matched"),
    "active": noted("They meet"),
    "ended": noted("Ended"),
}
TAG: Final[Mapping[str, str]] = {
    "waiting": "yellow",
    "shortlisted": "blue",
    "offered": "purple",
    "chosen": "purple",
    "confirmed": "green",
    "active": "green",
    "ended": "grey",
}
OWNER: Final[Mapping[str, str]] = {
    "coordinator": noted("Coordinator"),
    "client": noted("The person"),
    "peer": noted("The peer"),
}
OFFER: Final[Mapping[str, str]] = {
    "open": noted("the person is choosing"),
    "chosen": noted("the peer is asked"),
    "accepted": noted("both said yes"),
    "declined": noted("it did not suit"),
    "declined-client": noted("the person would rather have somebody else"),
    "declined-peer": noted("the peer cannot just now"),
    "expired": noted("nobody answered in time"),
    "ended": noted("ended"),
    "taken-back": noted("taken back before it was answered"),
}
MODE: Final[Mapping[str, str]] = {
    "in-person": noted("in person"),
    "video": noted("by video"),
    "phone": noted("by phone"),
}
TAKES_NEW: Final[Mapping[str, str]] = {
    "active": noted("I take new people"),
    "paused": noted("Not now"),
}
TOPIC: Final[Mapping[str, str]] = {
    "alcohol": noted("Alcohol"),
    "anxiety": noted("Anxiety"),
    "depression": noted("Depression"),
    "grief": noted("Grief"),
    "housing": noted("Housing"),
    "isolation": noted("Being alone"),
    "opioids": noted("Opioids"),
    "parenting": noted("Parenting"),
    "trauma": noted("Trauma"),
    "veteran": noted("Life after service"),
}
# Who may see one of the peer's topics.
SHOWN_TO: Final[Mapping[str, str]] = {
    "": noted("Not mine, or not for this"),
    "match": noted("Finds people for me; nobody sees it"),
    "clients": noted("People who may choose me see it"),
    "supervisors": noted("My supervisor sees it"),
    "both": noted("People who may choose me and my supervisor see it"),
}
# What somebody who refers can expect; the values of HL7's SDOH Clinical Care guide.
CAPACITY: Final[Mapping[str, str]] = {
    "capacity": noted("There are free places now."),
    "waitlist": noted("More people wait than places are free."),
    "no-capacity": noted("Nobody takes new people just now; people wait until somebody does."),
    "additional-assessment-required": noted("A coordinator has to look at it first."),
}
WAIT: Final = noted(
    "Of people who came lately, half had somebody within {half} days, a quarter within {from_}, "
    "three quarters within {to}."
)
WAIT_OPEN: Final = noted(
    "Of people who came lately, half had somebody within {half} days; how long the others wait "
    "cannot be said yet."
)
WAIT_UNKNOWN: Final = noted("How long people wait cannot be said yet; most still do.")
HOW: Final[Mapping[str, str]] = {
    "phone": noted("By phone"),
    "in-person": noted("In person"),
    "letter": noted("By letter"),
}
# Each with the counts that the ranking gives; a number of one reads as well as any other.
REASON: Final[Mapping[str, str]] = {
    "topics-shared": noted("Topics in common: {met} of {of}"),
    "topics-not-shared": noted("Topics not in common: {open} of {of}"),
    "modes-shared": noted("Ways to meet that suit both: {met} of {of}"),
    "modes-not-shared": noted("Ways to meet that do not suit both: {open} of {of}"),
    "access-needs-met": noted("Access needs met: {met} of {of}"),
    "access-needs-open": noted("Access needs not met: {open} of {of}"),
    "gender-wish-met": noted("Of the gender wished for"),
    "gender-wish-open": noted("Not known to be of the gender wished for"),
    "age-band-wish-met": noted("Of the age wished for"),
    "age-band-wish-open": noted("Not known to be of the age wished for"),
    "not-in-person": noted("Cannot meet in person"),
    "same-area": noted("In the same area"),
    "kilometres-apart": noted("Kilometres apart: {kilometres}"),
    "places-free": noted("Places free: {free} of {of}"),
}
RULE: Final[Mapping[str, str]] = {
    "consent": noted("The person's consent does not reach their organisation"),
    "excluded": noted("Not wished for again"),
    "paused": noted("Not taking new people"),
    "language": noted("No language in common"),
    "mode": noted("No way to meet that suits both"),
    "place": noted("Too far away to meet in person, and no other way suits both"),
    "certificate": noted("Certificate not valid"),
    "minors": noted("Not cleared to meet minors"),
    "capacity": noted("No place free"),
}
OPENING: Final[Mapping[str, str]] = {
    "video": noted("Meeting by video as well"),
    "phone": noted("Meeting by phone as well"),
    "in-person": noted("Meeting in person as well"),
    "further-away": noted("Meeting in person further away"),
    "another-organisation": noted("Consent that reaches other peer organisations"),
}
# What the events of each aggregate that this service follows are about.
ABOUT: Final[Mapping[str, str]] = {
    "clinic": noted("About a clinic"),
    "referral": noted("About a referral"),
    "session": noted("About a session"),
    "leave": noted("About a peer's time away"),
    "contact": noted("About an entry of the contact log"),
}
