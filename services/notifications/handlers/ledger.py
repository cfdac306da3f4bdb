"""The delivery ledger: what went to whom, what became of it, and what staff do about it."""

from datetime import datetime
from uuid import UUID

from services.chassis.cursors import decode, page_of
from services.chassis.http.request import Answer, Request
from services.chassis.problems import Conflict, NotFound
from services.chassis.work import Work
from services.notifications.domain.kinds import State, can_resend
from services.notifications.domain.sending import Message
from services.notifications.fates import settle
from services.notifications.repository.ledger import Ledger, View
from services.notifications.repository.messages import WAKE_SENDER, Messages
from services.notifications.schemas.api import ledger_row


def list_messages(request: Request, work: Work) -> Answer:
    query = request.query
    after: tuple[datetime, UUID] | None = None
    if query["cursor"]:
        after_at, after_id = decode(query["cursor"], datetime, UUID)
        after = (after_at, after_id)
    rows = Ledger(work.connection).page(
        view_of(request),
        referral_id=query["referral_id"],
        person=query["person"],
        state=query["state"],
        after=after,
        limit=query["limit"] + 1,
    )
    page, more = page_of(rows, query["limit"], lambda row: (row["planned_at"], row["id"]))
    return Answer([ledger_row(row) for row in page], next_cursor=more)


def show_message(request: Request, work: Work) -> Answer:
    return _shown(request.path["id"], request, work)


def resend(request: Request, work: Work) -> Answer:
    """Send the same kind again as a message of its own; its facts are asked anew."""
    message = _lock(request, work)
    if not can_resend(message.state):
        raise Conflict("not-at-rest", "This message is still on its way, or was taken back.")
    again = work.new_id()
    row = {
        "id": again,
        "kind": message.kind,
        "recipient": message.recipient,
        "recipient_id": message.recipient_id,
        "referral_id": message.referral_id,
        "match_id": message.match_id,
        "session_id": message.session_id,
        "session_revision": message.session_revision,
        "clinic_id": message.clinic_id,
        "org_id": message.org_id,
        "cause_id": again,  # no event caused it, and no other message may count as the same
        "resend_of": message.id,
        "not_before": work.now,
        "planned_at": work.now,
    }
    Messages(work.connection).add([row])
    work.notify(WAKE_SENDER)
    return _shown(again, request, work)


def note_told(request: Request, work: Work) -> Answer:
    """Somebody told the person, or tried to: the message that waited for staff is closed."""
    message = _lock(request, work)
    request.expects(message.version)
    if message.state is not State.NEEDS_STAFF:
        raise Conflict("not-waiting-for-staff", "This message does not wait for staff.")
    if request.body["outcome"] == "told":
        settle(message, State.DELIVERED, work)
    else:
        settle(message, State.UNDELIVERABLE, work, reason="not-reached")
    return _shown(message.id, request, work)


def _lock(request: Request, work: Work) -> Message:
    """The message, if the caller may read it; anybody else's counts as missing."""
    if Ledger(work.connection).read(view_of(request), request.path["id"]) is None:
        raise NotFound
    message = Messages(work.connection).lock(request.path["id"])
    if message is None:
        raise NotFound
    return message


def _shown(message_id: UUID, request: Request, work: Work) -> Answer:
    row = Ledger(work.connection).read(view_of(request), message_id)
    if row is None:
        raise NotFound
    return Answer(ledger_row(row), version=row["version"])


def view_of(request: Request) -> View:
    if request.caller is None:
        raise NotFound
    return View(request.caller.role, request.caller.orgs, request.caller.person)
