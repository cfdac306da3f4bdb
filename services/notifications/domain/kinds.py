"""What is told to whom: the kinds of message, their readers and their life."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

REMINDER_BEFORE = timedelta(hours=24)


class Kind(StrEnum):
    MATCH_OFFERED = "match-offered"
    MATCH_CHOSEN = "match-chosen"
    MATCH_CONFIRMED = "match-confirmed"
    MATCH_ENDED = "match-ended"
    NO_PEER_FOUND = "no-peer-found"
    SESSION_BOOKED = "session-booked"
    SESSION_RESCHEDULED = "session-rescheduled"
    SESSION_CANCELLED = "session-cancelled"
    SESSION_COVERED = "session-covered"
    SESSION_HANDED_OVER = "session-handed-over"
    SESSION_REMINDER = "session-reminder"
    PEER_AWAY = "peer-away"
    PEER_THERE = "peer-there"
    REFERRAL_ACCEPTED = "referral-accepted"
    REFERRAL_DECLINED = "referral-declined"
    REFERRAL_INFORMATION_REQUESTED = "referral-information-requested"
    REFERRAL_WITHDRAWN = "referral-withdrawn"
    REFERRAL_REOPENED = "referral-reopened"


class Recipient(StrEnum):
    CLIENT = "client"
    PEER = "peer"
    CLINIC = "clinic"


class State(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    DELIVERED = "delivered"
    WITHHELD = "withheld"
    UNDELIVERABLE = "undeliverable"
    NEEDS_STAFF = "needs-staff"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    RECEPTION = "reception"


_CLIENT_AND_PEER = (Recipient.CLIENT, Recipient.PEER)
_EVERYBODY = (Recipient.CLIENT, Recipient.PEER, Recipient.CLINIC)

READERS: dict[Kind, tuple[Recipient, ...]] = {
    Kind.MATCH_OFFERED: (Recipient.CLIENT,),
    Kind.MATCH_CHOSEN: (Recipient.PEER,),
    Kind.MATCH_CONFIRMED: _EVERYBODY,
    Kind.MATCH_ENDED: _CLIENT_AND_PEER,
    Kind.NO_PEER_FOUND: (Recipient.CLIENT, Recipient.CLINIC),
    Kind.SESSION_BOOKED: _EVERYBODY,
    Kind.SESSION_RESCHEDULED: _EVERYBODY,
    Kind.SESSION_CANCELLED: _EVERYBODY,
    Kind.SESSION_COVERED: _CLIENT_AND_PEER,
    Kind.SESSION_HANDED_OVER: (Recipient.PEER,),
    Kind.SESSION_REMINDER: _CLIENT_AND_PEER,
    Kind.PEER_AWAY: (Recipient.CLIENT,),
    Kind.PEER_THERE: (Recipient.CLIENT,),
    Kind.REFERRAL_ACCEPTED: (Recipient.CLINIC,),
    Kind.REFERRAL_DECLINED: (Recipient.CLINIC,),
    Kind.REFERRAL_INFORMATION_REQUESTED: (Recipient.CLINIC,),
    Kind.REFERRAL_WITHDRAWN: (Recipient.CLINIC,),
    Kind.REFERRAL_REOPENED: (Recipient.CLINIC,),
}

# Each asks for an answer, so a later step of the match takes it back.
ASKS = frozenset({Kind.MATCH_OFFERED, Kind.MATCH_CHOSEN, Kind.PEER_AWAY})
# Each names a time, so a later change of the session takes it back.
TIMES = frozenset(
    {Kind.SESSION_BOOKED, Kind.SESSION_RESCHEDULED, Kind.SESSION_COVERED, Kind.SESSION_REMINDER}
)
# What still has to be said when a referral stops: that something is over.
ENDINGS = frozenset({Kind.MATCH_ENDED, Kind.SESSION_CANCELLED})
# While a message is in one of these, taking it back is still possible.
NOT_YET_TOLD = frozenset({State.PLANNED, State.NEEDS_STAFF})


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What an event says of the people concerned, and what it is about."""

    referral_id: UUID
    clinic_id: UUID
    client_id: UUID | None = None
    peer_id: UUID | None = None
    peer_organisation_id: UUID | None = None
    match_id: UUID | None = None
    session_id: UUID | None = None
    revision: int | None = None

    @property
    def org_id(self) -> UUID:
        """The clinic until a peer organisation is in it; then that organisation."""
        return self.peer_organisation_id or self.clinic_id

    def person(self, recipient: Recipient) -> UUID | None:
        people = {
            Recipient.CLIENT: self.client_id,
            Recipient.PEER: self.peer_id,
            Recipient.CLINIC: self.clinic_id,
        }
        return people[recipient]


@dataclass(frozen=True, kw_only=True)
class MatchOccasion(Occasion):
    """`existing` where the two met, or agreed on the session, before Kindred."""

    match_id: UUID = field()
    existing: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionOccasion(MatchOccasion):
    session_id: UUID = field()
    revision: int = field()
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class CoverOccasion(SessionOccasion):
    previous_peer_id: UUID


def readers(kind: Kind, occasion: Occasion) -> list[tuple[Recipient, UUID]]:
    """Who is told, as far as the occasion names them."""
    named = [(recipient, occasion.person(recipient)) for recipient in READERS[kind]]
    return [(recipient, person) for recipient, person in named if person is not None]


def reminder_time(starts_at: datetime, now: datetime) -> datetime | None:
    """24 hours before the start; None when that has passed, since the booking just said it."""
    at = starts_at - REMINDER_BEFORE
    return at if at > now else None


def can_resend(state: State) -> bool:
    """Only what has come to rest, and was not taken back, is sent once more."""
    return state in {State.DELIVERED, State.UNDELIVERABLE, State.WITHHELD, State.NEEDS_STAFF}
