"""The sending loop: claim what is due, ask the owners, hand over, write down what became of it.

No transaction is open while an owner or the mail server is asked. An attempt is committed
before the mail server is called: whoever finds it unfinished later knows that the mail was
perhaps taken, sends it under the same Message-ID and counts a repeat.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from services.chassis import metrics
from services.chassis.errors import OwnerAway
from services.chassis.log import get_log
from services.chassis.settings import Settings
from services.chassis.work import Work
from services.notifications.domain.kinds import Channel, State
from services.notifications.domain.sending import (
    ATTEMPT_LEASE,
    ATTEMPTS,
    LEASE,
    Contact,
    Due,
    Facts,
    HandToStaff,
    Send,
    Stop,
    Verdict,
    Wait,
    decide,
    delay_after_attempt,
    delay_after_wait,
)
from services.notifications.fates import settle
from services.notifications.letters import Draft, Letter, Letterhead, UnusableAddress
from services.notifications.mail_server import MailServer, Outcome
from services.notifications.questions import (
    Learned,
    NoLongerAskable,
    Owners,
    ask_link,
    ask_owners,
)
from services.notifications.repository.claims import Claims
from services.notifications.texts import language_of

log = get_log(__name__)

BATCH = 20
# Facts older than this are asked again: a slow mail server must not make us tell old times.
FRESH = timedelta(seconds=2)


class Context(Protocol):
    """What the chassis gives a loop, as far as it is needed here."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...

    @property
    def directory(self) -> Owners: ...

    def stopping(self) -> bool: ...

    def transaction(self, *, all_organisations: bool = False) -> AbstractContextManager[Work]: ...


def run(context: Context) -> None:
    """Send until nothing is due, or until the worker stops."""
    letterhead = Letterhead(context.settings.mail_from, context.settings.public_url)
    sender = Sender(context, letterhead)
    while not context.stopping() and sender.send_batch():
        pass


@dataclass(frozen=True)
class Sender:
    context: Context
    letterhead: Letterhead

    def send_batch(self) -> int:
        """Deal with the messages claimed at once; say how many there were."""
        claimed = self._claim()
        if not claimed:
            return 0
        learned = ask_owners(claimed, self.context.directory)
        learned_at = self.context.clock()
        left = list(claimed)
        try:
            with MailServer(self.context.settings.smtp, name=self.letterhead.domain) as server:
                while left and self._may_go_on(learned_at):
                    self._deal_with(left[0], learned, server)
                    del left[0]
        finally:
            self._give_back(left)
        return len(claimed)

    def _claim(self) -> list[Due]:
        with self._work() as work:
            return Claims(work.connection).claim(
                now=work.now, held_until=work.now + LEASE, limit=BATCH
            )

    def _may_go_on(self, learned_at: datetime) -> bool:
        return not self.context.stopping() and self.context.clock() - learned_at < FRESH

    def _give_back(self, messages: list[Due]) -> None:
        if messages:
            with self._work() as work:
                Claims(work.connection).release(messages)

    def _deal_with(self, message: Due, learned: Learned, server: MailServer) -> None:
        try:
            facts = learned.about(message)
            verdict = decide(message, facts, now=self.context.clock())
            if isinstance(verdict, Send) and facts.contact:
                self._send(message, facts, facts.contact, verdict.email, server)
            else:
                self._leave(message, verdict)
        except OwnerAway:
            self._try_later(message)
        except Exception:
            # A bug that one message meets must not hold up all that are due after it.
            self._try_later(message)
            raise

    def _send(
        self, message: Due, facts: Facts, contact: Contact, email: str, server: MailServer
    ) -> None:
        language = language_of(message.language, contact.language)
        try:
            link = ask_link(message, language, self.context.directory)
            letter = self.letterhead.write(
                Draft(
                    message=message,
                    facts=facts,
                    contact=contact,
                    email=email,
                    language=language,
                    link=link,
                    now=self.context.clock(),
                )
            )
        except NoLongerAskable:
            self._leave(message, Stop(State.SUPERSEDED, "no-longer-asked"))
        except UnusableAddress:
            self._leave(message, Stop(State.UNDELIVERABLE, "address-unusable"))
        else:
            self._hand_over(message, letter, server)

    def _hand_over(self, message: Due, letter: Letter, server: MailServer) -> None:
        with self._work() as work:
            until = work.now + ATTEMPT_LEASE
            begun = Claims(work.connection).begin_attempt(message, held_until=until)
        if begun is None:
            return  # taken back, moved or claimed by another replica since we read it
        attempt = replace(message, state=State.SENDING, **begun)
        outcome = server.hand_over(letter)
        metrics.MAILS.labels(outcome.value).inc()
        with self._work() as work:
            self._note(attempt, outcome, work)
        log.info(
            "mail_handed_over",
            message_id=message.id,
            kind=message.kind,
            outcome=outcome.value,
            attempts=attempt.attempts,
            repeats=attempt.repeats,
        )

    def _note(self, message: Due, outcome: Outcome, work: Work) -> None:
        if outcome is Outcome.TAKEN:
            settle(message, State.DELIVERED, work, channel=Channel.EMAIL)
        elif outcome is Outcome.REFUSED:
            settle(message, State.UNDELIVERABLE, work, reason="mailbox-refused")
        elif message.attempts >= ATTEMPTS:
            settle(message, State.UNDELIVERABLE, work, reason="mail-server-away")
        else:
            # Still `sending` if it was perhaps taken: then the next attempt counts as a repeat.
            state = State.SENDING if outcome is Outcome.UNKNOWN else State.PLANNED
            until = work.now + delay_after_attempt(message.attempts)
            Claims(work.connection).hold(message, until=until, state=state, waits=message.waits)

    def _leave(self, message: Due, verdict: Verdict) -> None:
        """Whatever is decided other than to send it now."""
        with self._work() as work:
            match verdict:
                case Wait(until):
                    Claims(work.connection).postpone(message, not_before=until)
                case Stop(state, reason):
                    settle(message, state, work, reason=reason)
                case HandToStaff(channel, reason):
                    settle(message, State.NEEDS_STAFF, work, channel=channel, reason=reason)

    def _try_later(self, message: Due) -> None:
        with self._work() as work:
            until = work.now + delay_after_wait(message.waits)
            Claims(work.connection).hold(
                message, until=until, state=message.state, waits=message.waits + 1
            )

    def _work(self) -> AbstractContextManager[Work]:
        return self.context.transaction(all_organisations=True)
