"""What codes are called on scheduling's pages; English here, other languages in words/."""

from collections.abc import Mapping
from typing import Final

from services.chassis.pages import noted

MODE: Final[Mapping[str, str]] = {
    "in-person": noted("in person"),
    "video": noted("by video"),
    "phone": noted("by phone"),
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
