"""What codes are called on the pages; English here, other languages in words/."""

from collections.abc import Mapping
from typing import Final

from services.chassis.pages import noted

STATUS: Final[Mapping[str, str]] = {
    "awaiting-consent": noted("Waiting for consent"),
    "submitted": noted("With the coordinator"),
    "information-requested": noted("Question to the clinic"),
    "accepted": noted("Accepted"),
    "declined": noted("Not taken on"),
    "withdrawn": noted("Withdrawn"),
    "completed": noted("Completed"),
}
TAG: Final[Mapping[str, str]] = {
    "awaiting-consent": "yellow",
    "submitted": "blue",
    "information-requested": "yellow",
    "accepted": "green",
    "declined": "grey",
    "withdrawn": "grey",
    "completed": "grey",
}
MATCH: Final[Mapping[str, str]] = {
    "no-peer-found": noted("No peer fits yet"),
    "shortlisted": noted("Peers suggested to the coordinator"),
    "offered": noted("The person is choosing a peer"),
    "chosen": noted("The peer is asked"),
    "confirmed": noted("Matched with a peer"),
    "active": noted("Meeting with a peer"),
    "waiting-again": noted("Waiting for another peer"),
    "ended": noted("The time with the peer has ended"),
}
PLAN: Final[Mapping[str, str]] = {
    "requested": noted("Peer support: asked for"),
    "waiting": noted("Peer support: waiting"),
    "matched": noted("Peer support: matched"),
    "in-progress": noted("Peer support: under way"),
    "completed": noted("Peer support: completed"),
    "stopped": noted("Peer support: stopped"),
}
OWNER: Final[Mapping[str, str]] = {
    "clinic": noted("Clinic"),
    "coordinator": noted("Coordinator"),
    "peer": noted("Peer"),
}
URGENCY: Final[Mapping[str, str]] = {
    "routine": noted("Routine"),
    "soon": noted("Soon"),
    "urgent": noted("Urgent"),
}
CHANNEL: Final[Mapping[str, str]] = {
    "email": noted("E-mail"),
    "sms": noted("Text message"),
    "phone": noted("Phone call"),
    "reception": noted("Word left at reception"),
}
MODE: Final[Mapping[str, str]] = {
    "in-person": noted("In person"),
    "video": noted("By video"),
    "phone": noted("By phone"),
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
SCOPE: Final[Mapping[str, str]] = {
    "matching": noted("Finding a peer"),
    "scheduling": noted("Arranging sessions"),
    "notification": noted("Messages to the person"),
    "progress-to-clinic": noted("Telling the clinic how it goes"),
}
DECLINE: Final[Mapping[str, str]] = {
    "not-eligible": noted("Not someone this service is for"),
    "no-capacity": noted("No places at present"),
    "service-not-provided": noted("Not a service that we give"),
    "already-enrolled": noted("Has peer support already"),
    "client-declined": noted("The person does not want it"),
    "could-not-contact": noted("The person could not be reached"),
    "no-longer-needed": noted("No longer needed"),
    "other-support-found": noted("Found other support"),
    "referred-elsewhere": noted("Referred elsewhere"),
}
WITHDRAW: Final[Mapping[str, str]] = {
    "client-choice": noted("The person's choice"),
    "no-longer-needed": noted("No longer needed"),
    "other-support-found": noted("Found other support"),
    "no-capacity": noted("No places at present"),
    "moved-away": noted("Moved away"),
    "sent-by-mistake": noted("Sent by mistake"),
}
INFORMATION: Final[Mapping[str, str]] = {
    "contact": noted("How to reach the person"),
    "consent": noted("The person's consent"),
    "representative": noted("A representative"),
    "wishes": noted("What the person wants"),
    "preferences": noted("Wishes about the peer"),
    "access-needs": noted("Access needs"),
    "treatment-plan": noted("The treatment plan"),
    "other": noted("Something else"),
}
STEP: Final[Mapping[str, str]] = {
    "received": noted("The referral came in"),
    "linked": noted("Linked to an earlier referral of the same person"),
    "unlinked": noted("No longer linked to another referral"),
    "consent-missing": noted("Waiting for the person's consent"),
    "submitted": noted("Sent on with the person's consent"),
    "taken-over": noted("Taken over with the peer they already had"),
    "consent-renewed": noted("The person agreed again"),
    "consent-changed": noted("The person changed what they agree to"),
    "consent-ended": noted("The person's consent ended"),
    "consent-scan-added": noted("A scan of the consent was added"),
    "accepted": noted("Accepted"),
    "declined": noted("Not taken on"),
    "reopened": noted("That it was not taken on was taken back"),
    "information-requested": noted("The clinic was asked a question"),
    "information-provided": noted("The clinic answered"),
    "corrected": noted("Facts were corrected"),
    "withdrawn": noted("Withdrawn"),
    "completed": noted("Completed"),
    "contact-disputed": noted("Somebody said that the contact is not theirs"),
    "shortlisted": noted("Peers were suggested to the coordinator"),
    "no-peer-found": noted("No peer fits yet; the search goes on"),
    "offered": noted("The person was asked which peer they would like"),
    "chosen": noted("The person chose a peer"),
    "confirmed": noted("The peer said yes"),
    "next-offer": noted("Another peer is looked for; no reason is needed"),
    "offer-taken-back": noted("The offer was taken back; another one will be made"),
    "offer-expired": noted("The time to answer is over; another offer will be made"),
    "active": noted("They have met"),
    "match-ended": noted("The time with the peer has ended"),
    "quiet": noted("They have not met for a while; somebody plans how to reach out"),
    "in-touch": noted("They have met again"),
    "paused": noted("The person takes a pause"),
    "resumed": noted("The person goes on"),
    "another-peer-asked": noted("The person would like somebody else"),
    "session-booked": noted("A session was booked"),
    "session-rescheduled": noted("A session got a new time"),
    "session-cancelled": noted("A session was cancelled"),
    "session-covered": noted("Another peer takes a session"),
    "session-outcome": noted("It was noted how a session went"),
    "peer-away": noted("The peer will be away; the person is asked what they would like"),
    "peer-away-wait": noted("The person waits until the peer is back"),
    "peer-away-cover": noted("The person meets somebody else meanwhile"),
    "peer-away-change": noted("The person goes on with another peer"),
    "peer-there": noted("The peer will be there after all"),
    "message-delivered": noted("A message was delivered"),
    "message-withheld": noted("A message was held back, as the person asked"),
    "message-undeliverable": noted("A message could not be delivered"),
    "staff-asked-to-tell": noted("Staff were asked to tell the person"),
}
TASK: Final[Mapping[str, str]] = {
    "no-peer-found": noted("No peer fits yet"),
    "tell-person": noted("The person is to be told something"),
    "reach-out": noted("They have not met for a while: agree with the peer how to reach out"),
    "message-undeliverable": noted("A message could not be delivered"),
    "contact-disputed": noted("Somebody said that the contact is not theirs"),
    "contact-missing": noted("There is no way to reach the person yet"),
    "unreachable-phone": noted("The phone number cannot be called"),
    "representative-missing": noted("A representative's contact is needed"),
}
SOURCE: Final[Mapping[str, str]] = {
    "phone": noted("By phone"),
    "email": noted("By e-mail"),
    "fax": noted("By fax"),
    "post": noted("By post"),
    "in-person": noted("In person"),
}
WHO: Final[Mapping[str, str]] = {
    "self": noted("For myself"),
    "relative": noted("For somebody close to me"),
}
PAUSE: Final[Mapping[str, str]] = {
    "in-hospital": noted("In hospital"),
    "taking-a-break": noted("Taking a break"),
    "other": noted("Something else"),
}
# To the person, of what is theirs.
OWN_STATUS: Final[Mapping[str, str]] = {
    "awaiting-consent": noted("Nothing happens until you agree. You decide."),
    "declined": noted(
        "This service could not take the referral on. Your clinic can tell you more."
    ),
    "withdrawn": noted("This support has been stopped. You are welcome back at any time."),
    "completed": noted("Your peer support is complete. You are welcome back at any time."),
}
OWN_SEARCH: Final = noted("We are looking for somebody who fits you. You keep your place.")
OWN_MATCH: Final[Mapping[str, str]] = {
    "offered": noted("You were asked whom you would like to meet. The link is in our message."),
    "chosen": noted("We are asking the person you chose."),
    "confirmed": noted("You can meet. Next, a first time is arranged with you."),
    "active": noted("You and your peer are meeting."),
}
OWN_SCOPE: Final[Mapping[str, str]] = {
    "matching": noted("Looking for a peer for me"),
    "scheduling": noted("Arranging sessions"),
    "notification": noted("Writing to me"),
    "progress-to-clinic": noted("Telling my clinic that sessions take place"),
}
OWN_STEP: Final[Mapping[str, str]] = {
    "received": noted("The referral came in"),
    "submitted": noted("You agreed, and the search began"),
    "taken-over": noted("Your support was taken over as it was"),
    "consent-renewed": noted("You agreed again"),
    "consent-changed": noted("What you agree to was changed"),
    "consent-ended": noted("Your agreement ended"),
    "withdrawn": noted("The support was stopped"),
    "completed": noted("The support is complete"),
    "offered": noted("You were asked which peer you would like"),
    "chosen": noted("You chose a peer"),
    "confirmed": noted("The peer said yes"),
    "next-offer": noted("We look for another peer"),
    "offer-taken-back": noted("The question was taken back; another one will come"),
    "reopened": noted("The referral is looked at again"),
    "offer-expired": noted("The time to answer is over; we will ask again"),
    "active": noted("You have met"),
    "match-ended": noted("The time with your peer has ended"),
    "session-booked": noted("A session was booked"),
    "session-rescheduled": noted("A session got a new time"),
    "session-cancelled": noted("A session was cancelled"),
    "session-covered": noted("Somebody else takes a session"),
    "peer-away": noted("Your peer will be away; you were asked what you would like"),
    "peer-away-wait": noted("You wait until your peer is back"),
    "peer-away-cover": noted("You meet somebody else meanwhile"),
    "peer-away-change": noted("You go on with another peer"),
    "peer-there": noted("Your peer will be there after all"),
    "paused": noted("You began a pause"),
    "resumed": noted("You went on"),
    "another-peer-asked": noted("You asked for somebody else"),
}
ROLE: Final[Mapping[str, str]] = {
    "clinic": noted("clinic"),
    "coordinator": noted("coordinator"),
    "client": noted("the person"),
    "peer": noted("peer"),
    "supervisor": noted("supervisor"),
    "operator": noted("operator"),
}
# What the events of each aggregate that this service follows are about.
ABOUT: Final[Mapping[str, str]] = {
    "match": noted("About a match"),
    "session": noted("About a session"),
    "leave": noted("About a peer's time away"),
    "notification": noted("About a message"),
    "peer_organisation": noted("About a peer organisation"),
}
