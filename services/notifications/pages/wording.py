"""What codes are called on the pages of the delivery ledger; English here, others in words/."""

from collections.abc import Mapping
from typing import Final

from services.chassis.pages import noted

KIND: Final[Mapping[str, str]] = {
    "match-offered": noted("The question which peer they would like"),
    "match-chosen": noted("The question whether they say yes"),
    "match-confirmed": noted("That they can meet"),
    "match-ended": noted("That the time together has ended"),
    "no-peer-found": noted("That we are still looking"),
    "session-booked": noted("A session's time"),
    "session-rescheduled": noted("A session's new time"),
    "session-cancelled": noted("That a session is cancelled"),
    "session-covered": noted("That somebody else takes a session"),
    "session-handed-over": noted("That somebody else takes their session"),
    "session-reminder": noted("A reminder of a session"),
    "peer-away": noted("The question what they would like while their peer is away"),
    "peer-there": noted("That their peer will be there after all"),
    "referral-accepted": noted("That the referral is accepted"),
    "referral-declined": noted("That the referral is not taken on"),
    "referral-information-requested": noted("A question to the clinic"),
    "referral-withdrawn": noted("That the referral is withdrawn"),
    "referral-reopened": noted("That the referral is looked at again"),
}
RECIPIENT: Final[Mapping[str, str]] = {
    "client": noted("the person"),
    "peer": noted("the peer"),
    "clinic": noted("the clinic"),
}
STATE: Final[Mapping[str, str]] = {
    "planned": noted("to be sent"),
    "sending": noted("on its way"),
    "delivered": noted("delivered"),
    "withheld": noted("held back, as they wish"),
    "undeliverable": noted("reached nobody"),
    "needs-staff": noted("to be passed on by staff"),
    "cancelled": noted("taken back"),
    "superseded": noted("replaced by a later one"),
}
CHANNEL: Final[Mapping[str, str]] = {
    "sms": noted("Please send a text message"),
    "phone": noted("Please call"),
    "reception": noted("Please leave word at reception"),
    "email": noted("The e-mail did not arrive"),
}
REASON: Final[Mapping[str, str]] = {
    "address-unusable": noted("The address cannot be written to"),
    "mailbox-refused": noted("The mailbox did not take it"),
    "mail-server-away": noted("The mail server was away for too long"),
    "not-reached": noted("Staff could not reach them"),
}
# What is said to the person, in words that a reception may use.
SAY: Final[Mapping[str, str]] = {
    "match-offered": noted("There are people you could talk to. These are they:"),
    "match-confirmed": noted("Both said yes: you can meet."),
    "match-ended": noted("The time together has ended. You can ask for somebody new at any time."),
    "no-peer-found": noted("We are still looking for somebody; you keep your place in the queue."),
    "session-booked": noted("A time to meet is set:"),
    "session-rescheduled": noted("The time to meet has changed:"),
    "session-cancelled": noted("A meeting does not take place. These are the times now:"),
    "session-covered": noted("Somebody else takes one meeting. These are the times:"),
    "session-reminder": noted("A reminder of the next time to meet:"),
    "peer-away": noted(
        "The peer will be away. Would you like to wait, meet somebody else meanwhile, or change?"
    ),
    "peer-there": noted("The peer will be there after all."),
}
# What the events of each aggregate that this service follows are about.
ABOUT: Final[Mapping[str, str]] = {
    "match": noted("About a match"),
    "peer_organisation": noted("About a peer organisation"),
    "clinic": noted("About a clinic"),
    "referral": noted("About a referral"),
    "session": noted("About a session"),
    "leave": noted("About a peer's time away"),
}
