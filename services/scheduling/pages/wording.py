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
# What the events of each aggregate that this service follows are about.
ABOUT: Final[Mapping[str, str]] = {
    "match": noted("About a match"),
    "peer": noted("About a peer"),
    "peer_organisation": noted("About a peer organisation"),
    "clinic": noted("About a clinic"),
    "referral": noted("About a referral"),
}
