"""One message as a mail: its text in the reader's language, the calendar entry, the headers."""

from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from services.chassis.calendar_entry import Method, calendar_entry
from services.notifications.domain.kinds import Kind, Recipient
from services.notifications.domain.sending import Contact, Due, Facts
from services.notifications.texts import moment_in_words, render, span_in_words, words

# 7-bit transfer, so that a mail server without 8BITMIME takes it as well.
_POLICY = SMTP.clone(cte_type="7bit")
_CALENDAR_METHOD: dict[Kind, Method] = {
    Kind.SESSION_BOOKED: "REQUEST",
    Kind.SESSION_RESCHEDULED: "REQUEST",
    Kind.SESSION_COVERED: "REQUEST",
    Kind.SESSION_HANDED_OVER: "CANCEL",
    Kind.SESSION_CANCELLED: "CANCEL",
}


class UnusableAddress(Exception):
    """The recipient's address cannot stand in a mail's header."""


@dataclass(frozen=True)
class Letter:
    """A mail ready to hand over; its addresses live as long as this object."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All that is known of a mail when it is written."""

    message: Due
    facts: Facts
    contact: Contact
    email: str
    language: str
    link: str | None
    now: datetime


@dataclass(frozen=True)
class Letterhead:
    """Whom mails come from: a neutral name, and where links lead."""

    mail_from: str
    public_url: str

    @property
    def address(self) -> str:
        return parseaddr(self.mail_from)[1]

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def write(self, draft: Draft) -> Letter:
        """The mail's bytes; raise UnusableAddress."""
        text = render(
            draft.message.recipient,
            draft.message.kind,
            language=draft.language,
            facts=self._facts_in_words(draft),
            page=self._own_page(draft),
        )
        mail = EmailMessage(policy=_POLICY)
        self._head(mail, draft, text.subject)
        mail.set_content(text.plain)
        mail.add_alternative(text.html, subtype="html")
        self._attach_calendar_entry(mail, draft)
        return Letter(self.address, draft.email, mail.as_bytes())

    def _head(self, mail: EmailMessage, draft: Draft, subject: str) -> None:
        mail["From"] = self.mail_from
        mail["To"] = _address(draft.email)
        mail["Subject"] = subject
        # The same for every attempt, so that a repeat can be recognised as one.
        mail["Message-ID"] = f"<{draft.message.id}@{self.domain}>"
        mail["Date"] = format_datetime(draft.now)
        mail["Content-Language"] = draft.language
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine replies to it

    def _own_page(self, draft: Draft) -> str | None:
        """Where a letter asks something, one link is enough."""
        path = None if draft.link else draft.contact.page
        return path and self.public_url + path

    def _facts_in_words(self, draft: Draft) -> dict[str, object]:
        message, language, zone = draft.message, draft.language, draft.contact.time_zone
        if message.recipient is Recipient.CLINIC:
            return {"reference": str(message.referral_id)}
        in_words: dict[str, object] = {
            "name": draft.contact.name,
            "link": draft.link and self.public_url + draft.link,
        }
        match = draft.facts.match
        if match:
            in_words["answer_by"] = match.answer_by and moment_in_words(
                match.answer_by, zone=zone, language=language
            )
        session = draft.facts.session
        if session:
            in_words["when"] = span_in_words(
                session.starts_at, session.ends_at, zone=zone, language=language
            )
            in_words["how"] = words(language, session.mode.replace("-", "_"))
            in_words["place"] = session.place if message.detail == "detailed" else None
        return in_words

    def _attach_calendar_entry(self, mail: EmailMessage, draft: Draft) -> None:
        """Add the entry as iTIP wants it (RFC 6047): a part whose type names the method."""
        session, method = draft.facts.session, _CALENDAR_METHOD.get(draft.message.kind)
        if session is None or method is None or draft.message.recipient is Recipient.CLINIC:
            return
        entry = calendar_entry(
            uid=str(draft.message.session_id),
            sequence=session.revision,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            summary=words(draft.language, "appointment"),
            method=method,
            organizer=self.address,
            attendee=draft.email,
            now=draft.now,
        )
        mail.add_alternative(entry.decode(), subtype="calendar", params={"method": method})


def _address(email: str) -> Address:
    """The address as a header holds it; without SMTPUTF8 only ASCII travels."""
    try:
        address = Address(addr_spec=email)
    except (MessageError, ValueError, IndexError) as error:
        raise UnusableAddress from error
    if not email.isascii() or "" in (address.username, address.domain):
        raise UnusableAddress
    return address
