"""What reaches notifications, and which handler answers. Open this file first."""

from functools import partial

from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, PEER
from services.chassis.service import Service, consumes, every, page, recalls, repeatedly, route
from services.notifications import mail_server, sender
from services.notifications.handlers import ledger, measures, planning, preferences, recall
from services.notifications.pages import of_referral, set_aside, slip, unreached
from services.notifications.repository.messages import WAKE_SENDER
from services.notifications.schemas.api import (
    LedgerQuerySchema,
    MessageSchema,
    PersonPreferencesSchema,
    PreferencesSchema,
    ToldSchema,
)
from services.notifications.schemas.published import PUBLISHED
from services.notifications.schemas.received import (
    ClinicRegisteredSchema,
    MatchConfirmedSchema,
    MatchSchema,
    MatchWithPeerSchema,
    PeerOrganisationRegisteredSchema,
    ReferralSchema,
    SessionCoveredSchema,
    SessionSchema,
)


class Notifications(Service):
    name = "notifications"
    publishes = PUBLISHED

    # The delivery ledger.
    list_messages = route(
        "GET",
        "/messages",
        roles={COORDINATOR, CLINIC, PEER, CLIENT},
        query=LedgerQuerySchema,
        answer=MessageSchema,
        many=True,
        handler=ledger.list_messages,
    )
    show_message = route(
        "GET",
        "/messages/{id}",
        roles={COORDINATOR, CLINIC, PEER, CLIENT},
        answer=MessageSchema,
        handler=ledger.show_message,
    )
    resend = route(
        "POST",
        "/messages/{id}/resend",
        roles={COORDINATOR},
        answer=MessageSchema,
        status=201,
        errors=(409,),
        handler=ledger.resend,
    )
    note_told = route(
        "POST",
        "/messages/{id}/told",
        roles={COORDINATOR, CLINIC},
        body=ToldSchema,
        answer=MessageSchema,
        errors=(409,),
        guarded=True,
        handler=ledger.note_told,
    )

    # What was set aside, here and in all services together.
    list_set_aside = page(
        "GET",
        "/notifications/set-aside",
        roles={COORDINATOR},
        handler=set_aside.together,
    )
    show_set_aside = page(
        "GET",
        "/notifications/fragments/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.show,
    )
    try_again = page(
        "POST",
        "/notifications/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.act,
    )

    show_unreached = page(
        "GET",
        "/notifications/",
        roles={COORDINATOR},
        handler=unreached.show,
        menu={"en": "Messages", "es": "Mensajes"},
    )
    act_on_unreached = page(
        "POST",
        "/notifications/",
        roles={COORDINATOR},
        handler=partial(unreached.act, routes={"told": note_told, "resend": resend}),
        again=unreached.show_again,
    )
    show_slip = page(
        "GET",
        "/notifications/slips/{message_id}",
        roles={COORDINATOR},
        handler=slip.show,
    )
    act_on_slip = page(
        "POST",
        "/notifications/slips/{message_id}",
        roles={COORDINATOR},
        handler=partial(slip.act, routes={"told": note_told}),
        again=slip.show_again,
    )
    count_unreached = page(
        "GET",
        "/notifications/fragments/with-staff",
        roles={COORDINATOR},
        handler=unreached.count,
    )

    list_of_referral = page(
        "GET",
        "/notifications/fragments/referrals/{referral_id}",
        roles={COORDINATOR},
        handler=of_referral.list_of_referral,
    )

    # What a person prefers.
    show_preferences = route(
        "GET",
        "/people/{id}/preferences",
        roles={COORDINATOR, PEER, CLIENT},
        answer=PersonPreferencesSchema,
        handler=preferences.show_preferences,
    )
    put_preferences = route(
        "PUT",
        "/people/{id}/preferences",
        roles={COORDINATOR, PEER, CLIENT},
        body=PreferencesSchema,
        answer=PersonPreferencesSchema,
        guarded=True,
        handler=preferences.put_preferences,
    )

    # Organisations, which the sender's scans start from.
    remember_clinic = consumes(
        "clinic.registered.v1",
        source="referrals",
        schema=ClinicRegisteredSchema,
        handler=planning.remember_clinic,
    )
    remember_peer_organisation = consumes(
        "peer_organisation.registered.v1",
        source="matching",
        schema=PeerOrganisationRegisteredSchema,
        handler=planning.remember_peer_organisation,
    )

    # A referral's steps: the clinic is told.
    remember_client = consumes(
        "referral.submitted.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.remember_client,
    )
    tell_acceptance = consumes(
        "referral.accepted.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.tell_acceptance,
    )
    tell_question = consumes(
        "referral.information_requested.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.tell_question,
    )
    tell_reopening = consumes(
        "referral.reopened.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.tell_reopening,
    )
    tell_decline = consumes(
        "referral.declined.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.tell_decline,
        overtakes=True,
    )
    tell_withdrawal = consumes(
        "referral.withdrawn.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.tell_withdrawal,
        overtakes=True,
    )
    stop_for_consent = consumes(
        "referral.consent_ended.v1",
        source="referrals",
        schema=ReferralSchema,
        handler=planning.stop_for_consent,
        overtakes=True,
    )

    # A match's steps: client and peer are asked, then told.
    tell_still_looking = consumes(
        "match.no_peer_found.v1",
        source="matching",
        schema=MatchSchema,
        handler=planning.tell_still_looking,
    )
    ask_client = consumes(
        "match.offered.v1",
        source="matching",
        schema=MatchWithPeerSchema,
        handler=planning.ask_client,
    )
    ask_peer = consumes(
        "match.chosen.v1",
        source="matching",
        schema=MatchWithPeerSchema,
        handler=planning.ask_peer,
    )
    take_back_declined_ask = consumes(
        "match.declined.v1",
        source="matching",
        schema=MatchSchema,
        handler=planning.take_back_ask,
    )
    take_back_ask_of_offer = consumes(
        "match.offer_taken_back.v1",
        source="matching",
        schema=MatchWithPeerSchema,
        handler=planning.take_back_ask,
    )
    take_back_expired_ask = consumes(
        "match.offer_expired.v1",
        source="matching",
        schema=MatchWithPeerSchema,
        handler=planning.take_back_ask,
    )
    tell_match = consumes(
        "match.confirmed.v1",
        source="matching",
        schema=MatchConfirmedSchema,
        handler=planning.tell_match,
    )
    tell_match_end = consumes(
        "match.ended.v1",
        source="matching",
        schema=MatchSchema,
        handler=planning.tell_match_end,
        overtakes=True,
    )

    # A session's steps: the notices and the one reminder follow every change.
    tell_session = consumes(
        "session.booked.v1",
        source="scheduling",
        schema=SessionSchema,
        handler=planning.tell_session,
    )
    tell_new_time = consumes(
        "session.rescheduled.v1",
        source="scheduling",
        schema=SessionSchema,
        handler=planning.tell_new_time,
    )
    tell_cancellation = consumes(
        "session.cancelled.v1",
        source="scheduling",
        schema=SessionSchema,
        handler=planning.tell_cancellation,
        overtakes=True,
    )
    tell_cover = consumes(
        "session.covered.v1",
        source="scheduling",
        schema=SessionCoveredSchema,
        handler=planning.tell_cover,
    )
    drop_reminder = consumes(
        "session.outcome_recorded.v1",
        source="scheduling",
        schema=SessionSchema,
        handler=planning.drop_reminder,
    )

    # A peer's time away: each of their people is asked what they would like.
    ask_for_leave = consumes(
        "leave.asked.v1",
        source="scheduling",
        schema=MatchWithPeerSchema,
        handler=planning.ask_for_leave,
    )
    take_back_answered_ask = consumes(
        "leave.answered.v1",
        source="scheduling",
        schema=MatchWithPeerSchema,
        handler=planning.take_back_ask,
    )
    tell_peer_is_there = consumes(
        "leave.question_withdrawn.v1",
        source="scheduling",
        schema=MatchWithPeerSchema,
        handler=planning.tell_peer_is_there,
    )

    # After a restore.
    recall_delivery = recalls("notification.delivered.v1", handler=recall.deliver)
    recall_withholding = recalls("notification.withheld.v1", handler=recall.withhold)
    recall_failure = recalls("notification.undeliverable.v1", handler=recall.give_up)
    recall_staff = recalls("notification.needs_staff.v1", handler=recall.hand_to_staff)
    recall_preference = recalls("preference.changed.v1", handler=recall.be_discreet)

    measure = every(seconds=15, handler=measures.measure)
    send_due = repeatedly(
        seconds=1, run=sender.run, wakes_on=WAKE_SENDER, patience=mail_server.LONGEST_SECONDS
    )
