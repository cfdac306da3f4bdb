"""What to do with one due message, given what the owners just said. Pure.

A window of quiet hours belongs to channels that ring (phone, text message). Nothing of ours
rings: e-mail goes at once, except that a client's safe times are kept, also when it is urgent;
what has to ring is handed to staff, who see the safe times beside the number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notifications.domain.kinds import TIMES, Channel, Kind, Recipient, State
from services.notifications.domain.safe_times import Window, next_safe_moment

# How long a killed sender keeps a message to itself: claimed, while its owners are asked …
LEASE = timedelta(seconds=10)
# … and while the mail server has it, longer than one answer of that server may take.
ATTEMPT_LEASE = timedelta(seconds=15)
ATTEMPTS = 80  # about three days of trying
_FIRST_DELAY = timedelta(seconds=5)
_LONGEST_DELAY = timedelta(hours=1)
_FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message for one reader: identifiers only, since contact and facts are asked later."""

    id: UUID
    kind: Kind
    recipient: Recipient
    recipient_id: UUID
    referral_id: UUID
    match_id: UUID | None
    session_id: UUID | None
    session_revision: int | None
    clinic_id: UUID
    org_id: UUID
    state: State
    channel: Channel | None
    repeats: int
    version: int

    @property
    def orgs(self) -> frozenset[UUID]:
        return frozenset({self.clinic_id, self.org_id})

    @property
    def contact_id(self) -> UUID:
        """What the recipient's contact is asked by: a client is reached through the referral."""
        ids = {Recipient.CLIENT: self.referral_id, Recipient.CLINIC: self.clinic_id}
        return ids.get(self.recipient, self.recipient_id)

    @property
    def is_about_a_session(self) -> bool:
        return self.session_id is not None

    @property
    def tells_clinic_of_a_session(self) -> bool:
        return self.recipient is Recipient.CLINIC and self.is_about_a_session

    @property
    def is_about_a_match(self) -> bool:
        return self.match_id is not None and self.session_id is None


@dataclass(frozen=True, kw_only=True)
class Due(Message):
    """A message that this sender has claimed, and what its reader prefers."""

    attempts: int
    waits: int
    language: str | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How the recipient may be reached right now; lives in memory while sending, never longer.

    `reason` says why nothing is allowed, or why an address is left out.
    """

    language: str
    time_zone: str
    name: str = ""
    email: str | None = None
    phone: str | None = None
    preferred_channel: Channel = Channel.EMAIL
    safe_times: Sequence[Window] = ()
    allowed: bool = True
    reason: str | None = None
    progress_to_clinic: bool = False
    # The path of the recipient's own page, for whoever has one.
    page: str | None = None


@dataclass(frozen=True, kw_only=True)
class MatchFacts:
    state: str
    answer_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    state: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    revision: int
    mode: str
    place: str | None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the owners said about one message; None where the owner knows nothing of it."""

    contact: Contact | None
    match: MatchFacts | None = None
    session: SessionFacts | None = None
    progress_to_clinic: bool = False


@dataclass(frozen=True)
class Send:
    email: str


@dataclass(frozen=True)
class Stop:
    """The message will not be sent, and why."""

    state: State
    reason: str


@dataclass(frozen=True)
class Wait:
    """Not now: the person is not safe to write to before this moment."""

    until: datetime


@dataclass(frozen=True)
class HandToStaff:
    channel: Channel
    reason: str | None = None


Verdict = Send | Stop | Wait | HandToStaff

# The states of a match in which a message still tells the truth.
_TRUE_WHILE = {
    Kind.MATCH_OFFERED: frozenset({"offered"}),
    Kind.MATCH_CHOSEN: frozenset({"chosen"}),
    Kind.MATCH_CONFIRMED: frozenset({"confirmed", "active"}),
    Kind.MATCH_ENDED: frozenset({"ended"}),
    Kind.PEER_AWAY: frozenset({"confirmed", "active"}),
    Kind.PEER_THERE: frozenset({"confirmed", "active"}),
}
# "Still looking" is true until somebody was found or the search is over.
_SEARCH_OVER = frozenset({"shortlisted", "offered", "chosen", "confirmed", "active", "ended"})


def decide(message: Due, facts: Facts, *, now: datetime) -> Verdict:
    """Old facts are never sent; then what the person allows; then how and when."""
    outdated = superseded_because(message, facts, now)
    if outdated:
        return Stop(State.SUPERSEDED, outdated)
    contact = facts.contact
    if contact is None:
        return Stop(State.WITHHELD, "recipient-unknown")
    if not contact.allowed:
        return Stop(State.WITHHELD, contact.reason or "not-allowed")
    if message.tells_clinic_of_a_session and not facts.progress_to_clinic:
        return Stop(State.WITHHELD, "not-consented")
    return _route(message, contact, facts.session, now)


def superseded_because(message: Due, facts: Facts, now: datetime) -> str | None:
    """Why the message no longer says what is true; None while it does."""
    if message.is_about_a_session:
        return _session_outdated(message, facts.session, now)
    if message.is_about_a_match:
        return _match_outdated(message.kind, facts.match)
    return None


def _session_outdated(message: Due, session: SessionFacts | None, now: datetime) -> str | None:
    if session is None:
        return "session-unknown"
    cancelled = session.state == "cancelled"
    if message.kind is Kind.SESSION_CANCELLED:
        return None if cancelled else "session-stands"
    if cancelled:
        return "session-cancelled"
    if session.revision != message.session_revision:
        return "session-moved"
    over_at = session.starts_at if message.kind is Kind.SESSION_REMINDER else session.ends_at
    return "session-past" if over_at <= now else None


def _match_outdated(kind: Kind, match: MatchFacts | None) -> str | None:
    if match is None:
        return "match-unknown"
    if kind is Kind.NO_PEER_FOUND:
        return "match-moved-on" if match.state in _SEARCH_OVER else None
    return None if match.state in _TRUE_WHILE[kind] else "match-moved-on"


def _route(message: Due, contact: Contact, session: SessionFacts | None, now: datetime) -> Verdict:
    if contact.email is None and message.recipient is Recipient.CLINIC:
        return Stop(State.WITHHELD, "no-address")
    channel = reachable_by(contact)
    if channel is not Channel.EMAIL or contact.email is None:
        return HandToStaff(channel, contact.reason)
    safe = next_safe_moment(contact.safe_times, ZoneInfo(contact.time_zone), now=now)
    if safe is not None and safe <= now:
        return Send(contact.email)
    if safe is None or _names_a_time_before(safe, message, session):
        return Stop(State.WITHHELD, "no-safe-time")
    return Wait(safe)


def _names_a_time_before(moment: datetime, message: Due, session: SessionFacts | None) -> bool:
    """Whether the message would tell of a time that has come by then, and so help nobody."""
    return session is not None and message.kind in TIMES and session.starts_at <= moment


def reachable_by(contact: Contact) -> Channel:
    """The channel preferred, else the next that exists; there is no provider of text messages.

    Whoever prefers text messages is written to by e-mail where there is an address.
    """
    preferred = contact.preferred_channel
    if preferred in {Channel.EMAIL, Channel.SMS} and contact.email:
        return Channel.EMAIL
    if preferred is Channel.EMAIL or not contact.phone:
        return Channel.PHONE if contact.phone else Channel.RECEPTION
    return preferred


def delay_after_attempt(attempts: int) -> timedelta:
    """How long to leave the mail server alone after this many attempts."""
    return min(_FIRST_DELAY * (1 << min(attempts - 1, 20)), _LONGEST_DELAY)


def delay_after_wait(waits: int) -> timedelta:
    """How long to leave an owner alone that has been away this many times."""
    return min(_FIRST_WAIT * (1 << min(waits, 20)), LONGEST_WAIT)
