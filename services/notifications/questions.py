"""What is asked of the owners at the moment of sending: contact, consent, facts, links."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from marshmallow import ValidationError

from services.chassis.errors import OwnerAway
from services.chassis.internal import OwnerRefused
from services.chassis.log import get_log
from services.notifications.domain.kinds import Kind, Recipient
from services.notifications.domain.sending import Contact, Due, Facts, MatchFacts, SessionFacts
from services.notifications.schemas.asked import ANSWERS, LinkAnswerSchema

log = get_log(__name__)

PURPOSE = "notification"
REFERRALS, MATCHING, SCHEDULING = "referrals", "matching", "scheduling"

# What the page behind a link of a match lets its reader do.
_LINK_PURPOSE = {Kind.MATCH_OFFERED: "choose", Kind.MATCH_CHOSEN: "respond"}
_LINKED_SESSIONS = frozenset(
    {Kind.SESSION_BOOKED, Kind.SESSION_RESCHEDULED, Kind.SESSION_COVERED, Kind.SESSION_REMINDER}
)


class Owners(Protocol):
    """The chassis's directory, as far as it is needed here."""

    def ask(
        self,
        owner: str,
        path: str,
        *,
        purpose: str,
        orgs: Iterable[UUID],
        body: dict[str, Any],
        timeout_seconds: float = 2.0,
    ) -> dict[str, Any]: ...


class NoLongerAskable(Exception):
    """The owner gives no link: what the message asks for is no longer open."""


@dataclass
class Learned:
    """What the owners said of one batch of messages, and what they did not answer."""

    contacts: dict[UUID, Contact] = field(default_factory=dict)
    matches: dict[UUID, MatchFacts] = field(default_factory=dict)
    sessions: dict[UUID, SessionFacts] = field(default_factory=dict)
    unanswered: set[UUID] = field(default_factory=set)

    def about(self, message: Due) -> Facts:
        """The facts of one message; raise OwnerAway if one of them was not answered."""
        needed = {message.contact_id, message.session_id}
        if message.is_about_a_match:
            needed.add(message.match_id)
        if message.tells_clinic_of_a_session:
            needed.add(message.referral_id)
        if needed & self.unanswered:
            raise OwnerAway
        client = self.contacts.get(message.referral_id)
        return Facts(
            contact=self.contacts.get(message.contact_id),
            match=self.matches.get(message.match_id) if message.match_id else None,
            session=self.sessions.get(message.session_id) if message.session_id else None,
            progress_to_clinic=client is not None and client.progress_to_clinic,
        )

    def note(self, kind: str, asked: Iterable[str], items: Any) -> None:
        """Take in an answer; who stands in it in a form that we cannot read counts as unanswered.

        So one person's unreadable facts hold up that person's messages and nobody else's.
        """
        known: dict[UUID, Any] = {}
        is_whole = isinstance(items, list)
        for item in items if is_whole else ():
            try:
                id_, facts = ANSWERS[kind].load(item)
            except ValidationError as error:
                log.error("owner_misunderstood", error=error, kind=kind)
                is_whole = False
            else:
                known[id_] = facts
        facts_of: dict[str, dict[UUID, Any]] = {"matches": self.matches, "sessions": self.sessions}
        facts_of.get(kind, self.contacts).update(known)
        if not is_whole:
            self.unanswered |= {UUID(one) for one in asked} - known.keys()


def ask_owners(messages: Sequence[Due], owners: Owners) -> Learned:
    """One question per owner and kind of fact, for the whole batch; the fastest changing last."""
    questions: list[tuple[str, str, dict[str, list[str]]]] = [
        (
            REFERRALS,
            "/internal/contacts",
            {
                "clients": _ids(one.referral_id for one in messages if _concerns_client(one)),
                "clinics": _contacts(messages, Recipient.CLINIC),
            },
        ),
        (MATCHING, "/internal/contacts", {"peers": _contacts(messages, Recipient.PEER)}),
        (
            MATCHING,
            "/internal/matches",
            {"matches": _ids(one.match_id for one in messages if one.is_about_a_match)},
        ),
        (
            SCHEDULING,
            "/internal/sessions",
            {"sessions": _ids(one.session_id for one in messages)},
        ),
    ]
    orgs = frozenset[UUID]().union(*(message.orgs for message in messages))
    learned = Learned()
    away: set[str] = set()
    for owner, path, wanted in questions:
        answer = None if owner in away else _ask(owners, owner, path, orgs, wanted)
        if answer is None:
            away.add(owner)
        for kind, ids in wanted.items():
            learned.note(kind, ids, None if answer is None else answer.get(kind))
    return learned


def ask_link(message: Due, language: str, owners: Owners) -> str | None:
    """The path of the page where the reader can act, in the mail's language.

    None for kinds that need no page.
    """
    if message.recipient is Recipient.CLINIC:
        return None
    if message.kind in _LINK_PURPOSE:
        owner, about = MATCHING, {"purpose": _LINK_PURPOSE[message.kind]}
        about["match_id"] = str(message.match_id)
    elif message.kind is Kind.PEER_AWAY:
        owner, about = SCHEDULING, {"match_id": str(message.match_id)}
    elif message.kind in _LINKED_SESSIONS:
        owner, about = SCHEDULING, {"session_id": str(message.session_id)}
    else:
        return None
    body = {**about, "person_id": str(message.recipient_id), "language": language}
    try:
        answer = owners.ask(owner, "/internal/links", purpose=PURPOSE, orgs=message.orgs, body=body)
    except OwnerRefused as refusal:
        # 404: the owner knows the session, as it just said, but not with this person on it.
        if refusal.status in {404, 409}:
            raise NoLongerAskable from refusal
        raise _misunderstood(owner, refusal) from refusal
    try:
        path: str = LinkAnswerSchema().load(answer)["path"]
    except ValidationError as error:
        raise _misunderstood(owner, error) from error
    return path


def _ask(
    owners: Owners, owner: str, path: str, orgs: Iterable[UUID], wanted: dict[str, list[str]]
) -> dict[str, Any] | None:
    """The owner's answer; None if there is none to be had now."""
    if not any(wanted.values()):
        return {kind: [] for kind in wanted}
    names = {"clients": "referral_ids", "clinics": "clinic_ids"}
    body = {names.get(kind, "ids"): ids for kind, ids in wanted.items()}
    try:
        return owners.ask(owner, path, purpose=PURPOSE, orgs=orgs, body=body)
    except OwnerAway:
        return None
    except OwnerRefused as refusal:
        _misunderstood(owner, refusal)
        return None


def _misunderstood(owner: str, error: Exception) -> OwnerAway:
    """Not the message's fault: it waits until the owner and we understand each other again."""
    log.error("owner_misunderstood", error=error, owner=owner)
    return OwnerAway(owner)


def _contacts(messages: Sequence[Due], recipient: Recipient) -> list[str]:
    return _ids(one.contact_id for one in messages if one.recipient is recipient)


def _concerns_client(message: Due) -> bool:
    """It goes to the client, or only if the client agreed."""
    return message.recipient is Recipient.CLIENT or message.tells_clinic_of_a_session


def _ids(ids: Iterable[UUID | None]) -> list[str]:
    return sorted({str(one) for one in ids if one})
