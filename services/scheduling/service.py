"""What reaches scheduling, and which handler answers. Open this file first."""

from functools import partial

from services.chassis.cursors import PageSchema
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, PEER, SUPERVISOR
from services.chassis.service import Service, consumes, every, internal, page, recalls, route
from services.scheduling import questions
from services.scheduling.handlers import (
    answering,
    availability,
    booking,
    changes,
    contact_log,
    following,
    hours_worked,
    leave,
    measures,
    reading,
    recall,
    rooms,
    times,
)
from services.scheduling.pages import away, fragments, links, set_aside, supervision, week
from services.scheduling.pages import contact_log as log_pages
from services.scheduling.pages import hours as hours_pages
from services.scheduling.schemas import contacts, heard, hours, published, sessions, told
from services.scheduling.schemas import leave as leave_wire
from services.scheduling.schemas.rooms import RoomBodySchema, RoomSchema

PEOPLE = {COORDINATOR, PEER, CLIENT}


class Scheduling(Service):
    name = "scheduling"
    publishes = published.PUBLISHED

    show_availability = route(
        "GET",
        "/people/{person_id}/availability",
        roles=PEOPLE,
        answer=hours.AvailabilitySchema,
        handler=availability.show_availability,
    )
    put_availability = route(
        "PUT",
        "/people/{person_id}/availability",
        roles=PEOPLE,
        body=hours.AvailabilitySchema,
        answer=hours.AvailabilitySchema,
        prepare=questions.person,
        guarded=True,
        handler=availability.put_availability,
    )

    list_leave = route(
        "GET",
        "/people/{person_id}/leave",
        roles={COORDINATOR, PEER, SUPERVISOR},
        answer=leave_wire.LeaveSchema,
        many=True,
        handler=leave.list_leave,
    )
    plan_leave = route(
        "POST",
        "/people/{person_id}/leave",
        roles={COORDINATOR, PEER, SUPERVISOR},
        body=leave_wire.LeaveBodySchema,
        answer=leave_wire.LeaveSchema,
        status=201,
        errors=(409,),
        handler=leave.plan_leave,
    )
    show_leave = route(
        "GET",
        "/leave/{leave_id}",
        roles={COORDINATOR, PEER, SUPERVISOR},
        answer=leave_wire.LeaveSchema,
        handler=leave.show_leave,
    )
    answer_leave = route(
        "POST",
        "/leave/{leave_id}/answer",
        roles={COORDINATOR, CLIENT},
        body=leave_wire.LeaveAnswerSchema,
        answer=leave_wire.LeaveSchema,
        errors=(409,),
        guarded=True,
        handler=leave.answer,
    )
    withdraw_leave = route(
        "POST",
        "/leave/{leave_id}/withdraw",
        roles={COORDINATOR, PEER, SUPERVISOR},
        answer=leave_wire.LeaveSchema,
        errors=(409,),
        guarded=True,
        handler=leave.withdraw_leave,
    )

    list_rooms = route(
        "GET",
        "/rooms",
        roles={COORDINATOR, PEER, SUPERVISOR},
        query=PageSchema,
        answer=RoomSchema,
        many=True,
        handler=rooms.list_rooms,
    )
    show_room = route(
        "GET",
        "/rooms/{room_id}",
        roles={COORDINATOR, PEER, SUPERVISOR},
        answer=RoomSchema,
        handler=rooms.show_room,
    )
    put_room = route(
        "PUT",
        "/rooms/{room_id}",
        roles={COORDINATOR, SUPERVISOR},
        body=RoomBodySchema,
        answer=RoomSchema,
        guarded=True,
        handler=rooms.put_room,
    )

    show_times = route(
        "GET",
        "/matches/{match_id}/times",
        roles=PEOPLE,
        query=sessions.TimesQuerySchema,
        answer=sessions.TimesSchema,
        prepare=questions.match,
        errors=(409,),
        handler=times.show_times,
    )
    book = route(
        "POST",
        "/sessions",
        roles=PEOPLE,
        body=sessions.BookingSchema,
        answer=sessions.SessionSchema,
        status=201,
        prepare=questions.match,
        errors=(409,),
        handler=booking.book,
    )
    list_sessions = route(
        "GET",
        "/sessions",
        roles={*PEOPLE, CLINIC},
        query=sessions.SessionsQuerySchema,
        answer=sessions.SessionSchema,
        many=True,
        handler=reading.list_sessions,
    )
    show_session = route(
        "GET",
        "/sessions/{session_id}",
        roles={*PEOPLE, CLINIC},
        answer=sessions.SessionSchema,
        handler=reading.show_session,
    )
    reschedule = route(
        "POST",
        "/sessions/{session_id}/reschedule",
        roles=PEOPLE,
        body=sessions.RescheduleSchema,
        answer=sessions.SessionSchema,
        errors=(409,),
        guarded=True,
        handler=changes.reschedule,
    )
    cancel = route(
        "POST",
        "/sessions/{session_id}/cancel",
        roles=PEOPLE,
        body=sessions.CancelSchema,
        answer=sessions.SessionSchema,
        errors=(409,),
        guarded=True,
        handler=changes.cancel,
    )
    cover = route(
        "POST",
        "/sessions/{session_id}/cover",
        roles={COORDINATOR},
        body=leave_wire.CoverSchema,
        answer=sessions.SessionSchema,
        errors=(409,),
        guarded=True,
        handler=leave.cover_session,
    )
    record_outcome = route(
        "POST",
        "/sessions/{session_id}/outcome",
        roles={COORDINATOR, PEER},
        body=sessions.OutcomeSchema,
        answer=sessions.SessionSchema,
        errors=(409,),
        guarded=True,
        handler=changes.record_outcome,
    )

    list_contacts = route(
        "GET",
        "/contacts",
        roles={*PEOPLE, SUPERVISOR},
        query=contacts.ContactsQuerySchema,
        answer=contacts.ContactSchema,
        many=True,
        handler=contact_log.list_contacts,
    )
    log_contact = route(
        "POST",
        "/contacts",
        roles={COORDINATOR, PEER},
        body=contacts.ContactBodySchema,
        answer=contacts.ContactSchema,
        status=201,
        errors=(409,),
        handler=contact_log.log,
    )
    show_contact = route(
        "GET",
        "/contacts/{contact_id}",
        roles={*PEOPLE, SUPERVISOR},
        answer=contacts.ContactSchema,
        handler=contact_log.show_contact,
    )
    correct_contact = route(
        "PUT",
        "/contacts/{contact_id}",
        roles={COORDINATOR, PEER},
        body=contacts.ContactBodySchema,
        answer=contacts.ContactSchema,
        errors=(409,),
        guarded=True,
        handler=contact_log.correct,
    )
    withdraw_contact = route(
        "POST",
        "/contacts/{contact_id}/withdraw",
        roles={COORDINATOR, PEER},
        answer=contacts.ContactSchema,
        errors=(409,),
        guarded=True,
        handler=contact_log.withdraw,
    )
    show_hours = route(
        "GET",
        "/peers/{peer_id}/hours",
        roles={COORDINATOR, PEER, SUPERVISOR},
        query=contacts.HoursQuerySchema,
        answer=contacts.HoursSchema,
        handler=hours_worked.show_hours,
    )

    show_set_aside = page(
        "GET",
        "/scheduling/fragments/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.show,
    )
    try_again = page(
        "POST",
        "/scheduling/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.act,
    )

    show_supervision = page(
        "GET",
        "/scheduling/supervision",
        roles={SUPERVISOR},
        handler=supervision.show,
        menu={"en": "Looking after peers", "es": "Cuidar de los pares"},
        is_start=True,
    )
    show_link = page("GET", "/l/{secret}", handler=links.show)
    use_link = page("POST", "/l/{secret}", handler=links.use)

    show_week = page(
        "GET",
        "/scheduling/",
        roles={PEER},
        handler=week.show,
        menu={"en": "This week", "es": "Esta semana"},
        is_start=True,
    )
    act_on_week = page(
        "POST",
        "/scheduling/",
        roles={PEER},
        handler=partial(week.act, routes={"outcome": record_outcome}),
        again=week.show_again,
    )
    show_hours_page = page(
        "GET",
        "/scheduling/hours",
        roles={PEER},
        handler=hours_pages.show,
        menu={"en": "Hours and time away", "es": "Horario y ausencias"},
    )
    act_on_hours = page(
        "POST",
        "/scheduling/hours",
        roles={PEER},
        handler=partial(hours_pages.act, routes={"plan": plan_leave, "withdraw": withdraw_leave}),
        again=hours_pages.show_again,
    )
    show_away = page(
        "GET",
        "/scheduling/away",
        roles={COORDINATOR},
        query=PageSchema,
        handler=away.show_list,
    )
    show_away_one = page(
        "GET", "/scheduling/away/{question_id}", roles={COORDINATOR}, handler=away.show_one
    )
    act_on_away = page(
        "POST",
        "/scheduling/away/{question_id}",
        roles={COORDINATOR},
        handler=partial(away.act, routes={"wish": answer_leave, "cover": cover}),
        again=away.show_one_again,
    )
    show_contact_log = page(
        "GET",
        "/scheduling/contacts",
        roles={PEER},
        query=PageSchema,
        handler=log_pages.show_list,
        menu={"en": "Contact log", "es": "Registro de contactos"},
    )
    show_contact_form = page(
        "GET",
        "/scheduling/contacts/new",
        roles={PEER},
        query=contacts.ContactFormQuerySchema,
        handler=log_pages.show_form,
    )
    send_contact_form = page(
        "POST",
        "/scheduling/contacts/new",
        roles={PEER},
        handler=log_pages.send,
        again=log_pages.show_form_again,
    )
    act_on_contact = page(
        "POST",
        "/scheduling/contacts/{contact_id}",
        roles={PEER},
        handler=partial(log_pages.act, routes={"withdraw": withdraw_contact}),
    )

    list_of_referral = page(
        "GET",
        "/scheduling/fragments/referrals/{referral_id}",
        roles={COORDINATOR},
        handler=fragments.list_of_referral,
    )

    tell_sessions = internal(
        "POST",
        "/sessions",
        callers={"notifications": {"notification"}},
        body=told.SessionIdsSchema,
        answer=told.ToldSessionsSchema,
        handler=answering.tell_sessions,
    )
    make_link = internal(
        "POST",
        "/links",
        callers={"notifications": {"notification"}},
        body=told.LinkForSchema,
        answer=told.LinkPathSchema,
        handler=answering.make_link,
    )

    note_clinic = consumes(
        "clinic.registered.v1",
        source="referrals",
        schema=heard.ClinicRegisteredSchema,
        handler=following.note_clinic,
    )
    note_peer_organisation = consumes(
        "peer_organisation.registered.v1",
        source="matching",
        schema=heard.PeerOrganisationRegisteredSchema,
        handler=following.note_peer_organisation,
    )
    note_new_peer = consumes(
        "peer.registered.v1",
        source="matching",
        schema=heard.PeerSchema,
        handler=following.note_peer,
    )
    note_changed_peer = consumes(
        "peer.updated.v1",
        source="matching",
        schema=heard.PeerSchema,
        handler=following.note_peer,
    )
    open_match = consumes(
        "match.confirmed.v1",
        source="matching",
        schema=heard.MatchConfirmedSchema,
        asks=questions.zones,
        handler=following.open_match,
    )
    end_match = consumes(
        "match.ended.v1",
        source="matching",
        schema=heard.MatchEndedSchema,
        handler=following.end_match,
        overtakes=True,
    )
    correct_client = consumes(
        "referral.corrected.v1",
        source="referrals",
        schema=heard.ReferralCorrectedSchema,
        asks=questions.zones,
        handler=following.correct_client,
    )
    stop_for_consent = consumes(
        "referral.consent_ended.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=following.stop_for_consent,
        overtakes=True,
    )
    cancel_for_pause = consumes(
        "referral.paused.v1",
        source="referrals",
        schema=heard.ReferralPausedSchema,
        handler=following.cancel_for_pause,
    )
    note_resumption = consumes(
        "referral.resumed.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=following.note_resumption,
    )
    stop_for_withdrawal = consumes(
        "referral.withdrawn.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=following.stop_for_withdrawal,
        overtakes=True,
    )

    # After a restore.
    recall_booking = recalls("session.booked.v1", handler=recall.book)
    recall_new_time = recalls("session.rescheduled.v1", handler=recall.book)
    recall_cancellation = recalls("session.cancelled.v1", handler=recall.cancel)
    recall_outcome = recalls("session.outcome_recorded.v1", handler=recall.resolve)
    recall_cover = recalls("session.covered.v1", handler=recall.book)
    recall_leave = recalls("leave.planned.v1", handler=recall.plan_leave)
    recall_no_leave = recalls("leave.withdrawn.v1", handler=recall.withdraw_leave)
    recall_leave_question = recalls("leave.asked.v1", handler=recall.ask)
    recall_leave_answer = recalls("leave.answered.v1", handler=recall.ask)
    recall_disowned_leave = recalls("leave.contact_disowned.v1", handler=recall.disown)
    recall_contact = recalls("contact.logged.v1", handler=recall.log_contact)
    recall_corrected_contact = recalls("contact.corrected.v1", handler=recall.log_contact)
    recall_withdrawn_contact = recalls("contact.withdrawn.v1", handler=recall.withdraw_contact)
    recall_disowned_contact = recalls("session.contact_disowned.v1", handler=recall.disown)

    measure = every(seconds=60, handler=measures.measure)
    leave_unresolved = every(seconds=60, handler=changes.leave_unresolved)
    call_off_uncovered = every(seconds=60, handler=leave.call_off_what_nobody_covers)
