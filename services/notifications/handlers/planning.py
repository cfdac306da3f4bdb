"""Which event has which message planned, moved or taken back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from services.chassis import organisations
from services.chassis.work import Work
from services.notifications.domain.kinds import (
    ASKS,
    ENDINGS,
    TIMES,
    CoverOccasion,
    Kind,
    MatchOccasion,
    Occasion,
    Recipient,
    SessionOccasion,
    State,
    readers,
    reminder_time,
)
from services.notifications.domain.sending import Message
from services.notifications.fates import settle
from services.notifications.repository.messages import WAKE_SENDER, Messages
from services.notifications.repository.people import People
from services.notifications.schemas.received import Organisation

Reader = tuple[Recipient, UUID]


def remember_clinic(clinic: Organisation, work: Work) -> None:
    organisations.remember(work, kind="clinic", **vars(clinic))


def remember_peer_organisation(organisation: Organisation, work: Work) -> None:
    organisations.remember(work, kind="peer-organisation", **vars(organisation))


def remember_client(occasion: Occasion, work: Work) -> None:
    _remember_people(occasion, work)


def tell_acceptance(occasion: Occasion, work: Work) -> None:
    _plan(Kind.REFERRAL_ACCEPTED, occasion, work)


def tell_question(occasion: Occasion, work: Work) -> None:
    _plan(Kind.REFERRAL_INFORMATION_REQUESTED, occasion, work)


def tell_decline(occasion: Occasion, work: Work) -> None:
    _stop_referral(occasion, "referral-declined", work)
    _plan(Kind.REFERRAL_DECLINED, occasion, work)


def tell_reopening(occasion: Occasion, work: Work) -> None:
    _plan(Kind.REFERRAL_REOPENED, occasion, work)


def tell_withdrawal(occasion: Occasion, work: Work) -> None:
    _stop_referral(occasion, "referral-withdrawn", work)
    _plan(Kind.REFERRAL_WITHDRAWN, occasion, work)


def stop_for_consent(occasion: Occasion, work: Work) -> None:
    """Consent ended: nothing that is still unsent may go, except that something is over."""
    _stop_referral(occasion, "consent-ended", work)


def tell_still_looking(occasion: MatchOccasion, work: Work) -> None:
    """Say honestly that nobody was found yet; once per round, however often we look."""
    _take_back_asks(occasion, work)
    if not Messages(work.connection).has_planned(occasion.match_id, Kind.NO_PEER_FOUND):
        _plan(Kind.NO_PEER_FOUND, occasion, work)


def ask_client(occasion: MatchOccasion, work: Work) -> None:
    _take_back_asks(occasion, work)
    _plan(Kind.MATCH_OFFERED, occasion, work)


def ask_peer(occasion: MatchOccasion, work: Work) -> None:
    _take_back_asks(occasion, work)
    _plan(Kind.MATCH_CHOSEN, occasion, work)


def take_back_ask(occasion: MatchOccasion, work: Work) -> None:
    """Answered no, or not in time: an ask that was not sent yet is not sent any more."""
    _take_back_asks(occasion, work)


def tell_match(occasion: MatchOccasion, work: Work) -> None:
    if occasion.existing:  # they know each other; from now on they can be told of sessions
        _remember_people(occasion, work)
        return
    _take_back_asks(occasion, work)
    _plan(Kind.MATCH_CONFIRMED, occasion, work)


def tell_match_end(occasion: MatchOccasion, work: Work) -> None:
    """Whoever was told of the match is told of its end; to others there is nothing to say."""
    messages = Messages(work.connection)
    kinds = ASKS | TIMES | {Kind.NO_PEER_FOUND, Kind.MATCH_CONFIRMED}
    untold = messages.lock_untold(kinds, match_id=occasion.match_id)
    _take_back(untold, State.SUPERSEDED, "match-ended", work)
    told = messages.told_of(occasion.match_id, Kind.MATCH_CONFIRMED)
    _plan(Kind.MATCH_ENDED, occasion, work, who=told)


def tell_session(occasion: SessionOccasion, work: Work) -> None:
    """Say the time, unless both know it from before; they are reminded of it all the same."""
    if not occasion.existing:
        _plan(Kind.SESSION_BOOKED, occasion, work)
    _plan_reminders(occasion, work, already=())


def tell_new_time(occasion: SessionOccasion, work: Work) -> None:
    """Announce the new time, and let the reminder follow it or go."""
    moved: list[Reader] = []
    remind_at = reminder_time(occasion.starts_at, work.now)
    if remind_at:
        moved = Messages(work.connection).move_reminders(
            occasion.session_id, revision=occasion.revision, not_before=remind_at
        )
    _take_back_times(occasion, work, "session-moved", before_revision=occasion.revision)
    _plan(Kind.SESSION_RESCHEDULED, occasion, work)
    _plan_reminders(occasion, work, already=moved)


def tell_cover(occasion: CoverOccasion, work: Work) -> None:
    """Another peer holds the session: both who meet now are told, and who would have is."""
    _take_back_times(occasion, work, "session-covered", before_revision=occasion.revision)
    _plan(Kind.SESSION_COVERED, occasion, work)
    _plan_reminders(occasion, work, already=())
    previous = [(Recipient.PEER, occasion.previous_peer_id)]
    _plan(Kind.SESSION_HANDED_OVER, occasion, work, who=previous)


def ask_for_leave(occasion: MatchOccasion, work: Work) -> None:
    _take_back_asks(occasion, work)
    _plan(Kind.PEER_AWAY, occasion, work)


def tell_peer_is_there(occasion: MatchOccasion, work: Work) -> None:
    """Whoever was not asked yet is not asked any more; whoever was is told."""
    messages = Messages(work.connection)
    untold = messages.lock_untold({Kind.PEER_AWAY}, match_id=occasion.match_id)
    _take_back(untold, State.SUPERSEDED, "peer-there", work)
    if not untold:
        told = messages.told_of(occasion.match_id, Kind.PEER_AWAY)
        _plan(Kind.PEER_THERE, occasion, work, who=told)


def tell_cancellation(occasion: SessionOccasion, work: Work) -> None:
    _take_back_times(occasion, work, "session-cancelled")
    _plan(Kind.SESSION_CANCELLED, occasion, work)


def drop_reminder(occasion: SessionOccasion, work: Work) -> None:
    """The session's outcome is known: nobody needs to hear of its time any more."""
    _take_back_times(occasion, work, "session-over")


def _plan_reminders(occasion: SessionOccasion, work: Work, *, already: Collection[Reader]) -> None:
    remind_at = reminder_time(occasion.starts_at, work.now)
    if remind_at:
        everyone = readers(Kind.SESSION_REMINDER, occasion)
        who = [reader for reader in everyone if reader not in already]
        _plan(Kind.SESSION_REMINDER, occasion, work, who=who, not_before=remind_at)


def _plan(
    kind: Kind,
    occasion: Occasion,
    work: Work,
    *,
    who: Sequence[Reader] | None = None,
    not_before: datetime | None = None,
) -> None:
    """Write down one message per reader, known by the event that caused it."""
    if occasion.clinic_id == organisations.SYNTHETIC_CLINIC:
        return  # nobody is there to be told
    if work.received is None:
        raise RuntimeError("only an event plans a message")
    _remember_people(occasion, work)
    rows = [
        {
            "id": id_of(kind, recipient, recipient_id, work.received.id),
            "kind": kind,
            "recipient": recipient,
            "recipient_id": recipient_id,
            "referral_id": occasion.referral_id,
            "match_id": occasion.match_id,
            "session_id": occasion.session_id,
            "session_revision": occasion.revision,
            "clinic_id": occasion.clinic_id,
            "org_id": occasion.org_id,
            "cause_id": work.received.id,
            "resend_of": None,
            "not_before": not_before or work.now,
            "planned_at": work.now,
        }
        for recipient, recipient_id in (readers(kind, occasion) if who is None else who)
    ]
    Messages(work.connection).add(rows)
    work.notify(WAKE_SENDER)


def id_of(kind: Kind, recipient: Recipient, recipient_id: UUID, cause_id: UUID) -> UUID:
    """The same for the same message, also when a restored database plans it a second time."""
    return uuid5(cause_id, f"{recipient}/{recipient_id}/{kind}")


def _remember_people(occasion: Occasion, work: Work) -> None:
    people = People(work.connection)
    if occasion.client_id:
        people.remember(
            occasion.client_id, role=Recipient.CLIENT, organisation_id=occasion.clinic_id
        )
    if occasion.peer_id and occasion.peer_organisation_id:
        people.remember(
            occasion.peer_id, role=Recipient.PEER, organisation_id=occasion.peer_organisation_id
        )


def _stop_referral(occasion: Occasion, reason: str, work: Work) -> None:
    untold = Messages(work.connection).lock_untold(
        set(Kind) - ENDINGS, referral_id=occasion.referral_id
    )
    _take_back(untold, State.CANCELLED, reason, work)


def _take_back_asks(occasion: MatchOccasion, work: Work) -> None:
    untold = Messages(work.connection).lock_untold(ASKS, match_id=occasion.match_id)
    _take_back(untold, State.SUPERSEDED, "match-moved-on", work)


def _take_back_times(
    occasion: SessionOccasion, work: Work, reason: str, *, before_revision: int | None = None
) -> None:
    untold = Messages(work.connection).lock_untold(
        TIMES, session_id=occasion.session_id, before_revision=before_revision
    )
    _take_back(untold, State.SUPERSEDED, reason, work)


def _take_back(messages: Sequence[Message], state: State, reason: str, work: Work) -> None:
    for message in messages:
        settle(message, state, work, reason=reason)
