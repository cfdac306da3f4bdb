"""What reaches referrals, and which handler answers. Open this file first."""

from functools import partial

from services.chassis import signin
from services.chassis.cursors import PageSchema
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, OPERATOR, PEER, SUPERVISOR
from services.chassis.service import Service, consumes, every, internal, page, recalls, route
from services.referrals.domain.source import LARGEST_SCAN_BYTES, MediaType
from services.referrals.handlers import (
    clinics,
    consent,
    correct,
    follow,
    measures,
    pause,
    read,
    recall,
    scan,
    submit,
    synthetic,
    taking_over,
    tasks,
    tell,
    triage,
)
from services.referrals.pages import (
    console,
    fragments,
    letter,
    own,
    referring,
    self_referral,
    set_aside,
)
from services.referrals.pages import tasks as task_pages
from services.referrals.schemas import answers, events, requests

CLINIC_STAFF = {CLINIC, COORDINATOR}
CONCERNED = {CLINIC, COORDINATOR, CLIENT}
REGION_STAFF = {OPERATOR, SUPERVISOR}

# A change to a referral: needs the version that staff saw, answers the referral as it is now.
step = partial(route, answer=answers.ReferralAnswerSchema, errors=(409,), guarded=True)
from_matching = partial(consumes, source="matching")
from_scheduling = partial(consumes, source="scheduling")
from_notifications = partial(consumes, source="notifications")


class Referrals(Service):
    name = "referrals"
    publishes = events.PUBLISHED

    put_clinic = route(
        "PUT",
        "/clinics/{clinic_id}",
        roles=REGION_STAFF,
        body=requests.ClinicSchema,
        answer=answers.ClinicAnswerSchema,
        guarded=True,
        handler=clinics.put_clinic,
    )
    read_clinic = route(
        "GET",
        "/clinics/{clinic_id}",
        roles=CLINIC_STAFF | REGION_STAFF,
        answer=answers.ClinicAnswerSchema,
        handler=clinics.read_clinic,
    )
    list_clinics = route(
        "GET",
        "/clinics",
        roles=CLINIC_STAFF | REGION_STAFF,
        query=PageSchema,
        answer=answers.ClinicAnswerSchema,
        many=True,
        handler=clinics.list_clinics,
    )

    submit_referral = route(
        "POST",
        "/referrals",
        roles={CLINIC},
        body=requests.NewReferralSchema,
        answer=answers.ReferralAnswerSchema,
        status=201,
        handler=submit.submit_referral,
    )
    enter_referral = route(
        "POST",
        "/entered-referrals",
        roles={COORDINATOR},
        body=requests.EnteredReferralSchema,
        answer=answers.ReferralAnswerSchema,
        status=201,
        handler=submit.enter_referral,
    )
    take_over = route(
        "POST",
        "/taken-over-referrals",
        roles={OPERATOR},
        body=requests.TakenOverSchema,
        answer=answers.ReferralAnswerSchema,
        status=201,
        handler=taking_over.take_over,
    )
    take_over_many = route(
        "POST",
        "/taken-over-referrals/many",
        roles={OPERATOR},
        body=requests.TakenOverPairsSchema,
        answer=answers.TakenOverReferralsSchema,
        status=201,
        handler=taking_over.take_over_many,
    )
    take_in_waiting = route(
        "POST",
        "/waiting-referrals/many",
        roles={OPERATOR},
        body=requests.WaitingReferralsSchema,
        answer=answers.TakenOverReferralsSchema,
        status=201,
        handler=taking_over.take_in_waiting,
    )
    list_referrals = route(
        "GET",
        "/referrals",
        roles=CONCERNED,
        query=requests.ReferralsQuerySchema,
        answer=answers.ReferralSummarySchema,
        many=True,
        handler=read.list_referrals,
    )
    read_referral = route(
        "GET",
        "/referrals/{referral_id}",
        roles=CONCERNED,
        answer=answers.ReferralAnswerSchema,
        handler=read.read_referral,
    )

    accept_referral = step(
        "POST",
        "/referrals/{referral_id}/accept",
        roles={COORDINATOR},
        handler=triage.accept_referral,
    )
    reopen_referral = step(
        "POST",
        "/referrals/{referral_id}/reopen",
        roles={COORDINATOR},
        handler=triage.reopen_referral,
    )
    decline_referral = step(
        "POST",
        "/referrals/{referral_id}/decline",
        roles={COORDINATOR},
        body=requests.DeclineSchema,
        handler=triage.decline_referral,
    )
    request_information = step(
        "POST",
        "/referrals/{referral_id}/request-information",
        roles={COORDINATOR},
        body=requests.InformationRequestSchema,
        handler=triage.request_information,
    )
    provide_information = step(
        "POST",
        "/referrals/{referral_id}/provide-information",
        roles={CLINIC},
        body=requests.InformationSchema,
        handler=triage.provide_information,
    )
    withdraw_referral = step(
        "POST",
        "/referrals/{referral_id}/withdraw",
        roles=CONCERNED,
        body=requests.WithdrawSchema,
        handler=triage.withdraw_referral,
    )
    give_consent = step(
        "POST",
        "/referrals/{referral_id}/consent",
        roles=CLINIC_STAFF,
        body=requests.ConsentSchema,
        handler=consent.give_consent,
    )
    put_consent_scan = step(
        "PUT",
        "/referrals/{referral_id}/consent-scan",
        roles=CLINIC_STAFF,
        body=requests.ConsentScanSchema,
        handler=scan.put_consent_scan,
        max_body_bytes=LARGEST_SCAN_BYTES * 3 // 2,  # base64 makes four signs of three
    )
    read_consent_scan = route(
        "GET",
        "/referrals/{referral_id}/consent-scan",
        roles=CONCERNED,
        files=tuple(MediaType),
        handler=scan.read_consent_scan,
    )
    pause_referral = step(
        "POST",
        "/referrals/{referral_id}/pause",
        roles=CONCERNED,
        body=requests.PauseSchema,
        handler=pause.pause_referral,
    )
    resume_referral = step(
        "POST",
        "/referrals/{referral_id}/resume",
        roles=CONCERNED,
        handler=pause.resume_referral,
    )
    withdraw_consent = step(
        "POST",
        "/referrals/{referral_id}/withdraw-consent",
        roles=CONCERNED,
        handler=consent.withdraw_consent,
    )
    correct_referral = step(
        "PATCH",
        "/referrals/{referral_id}",
        roles=CLINIC_STAFF,
        body=requests.ReferralCorrectionSchema,
        handler=correct.correct_referral,
    )
    correct_client = step(
        "PATCH",
        "/referrals/{referral_id}/client",
        roles=CLINIC_STAFF,
        body=requests.ClientCorrectionSchema,
        handler=correct.correct_client,
    )
    unlink_referral = step(
        "POST",
        "/referrals/{referral_id}/unlink",
        roles=CLINIC_STAFF,
        handler=correct.unlink_referral,
    )

    list_tasks = route(
        "GET",
        "/tasks",
        roles={COORDINATOR},
        query=requests.TasksQuerySchema,
        answer=answers.TaskSchema,
        many=True,
        handler=tasks.list_tasks,
    )
    read_task = route(
        "GET",
        "/tasks/{task_id}",
        roles={COORDINATOR},
        answer=answers.TaskSchema,
        handler=tasks.read_task,
    )
    finish_task = route(
        "POST",
        "/tasks/{task_id}/done",
        roles={COORDINATOR},
        answer=answers.TaskSchema,
        errors=(409,),
        guarded=True,
        handler=tasks.finish_task,
    )

    show_set_aside = page(
        "GET",
        "/referrals/fragments/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.show,
    )
    try_again = page(
        "POST",
        "/referrals/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.act,
    )

    start = page("GET", "/", handler=signin.start)
    show_sign_in = page(
        "GET",
        "/sign-in",
        query=signin.AskedSchema,
        prepare=signin.prepare_sign_in,
        handler=signin.show,
    )
    send_to_provider = page(
        "GET",
        "/sign-in/start",
        query=signin.AskedSchema,
        prepare=signin.prepare_start,
        handler=signin.send_to_provider,
    )
    come_back = page(
        "GET",
        "/sign-in/callback",
        query=signin.CallbackSchema,
        prepare=signin.prepare_callback,
        handler=signin.come_back,
    )
    sign_in = page("POST", "/sign-in", handler=signin.enter)
    sign_out = page("POST", "/sign-out", handler=signin.leave)

    show_referrals = page(
        "GET",
        "/referrals/",
        roles=CLINIC_STAFF,
        query=requests.ReferralsQuerySchema,
        handler=console.show_list,
        menu={"en": "Referrals", "es": "Derivaciones"},
    )
    show_tasks = page(
        "GET",
        "/referrals/tasks",
        roles={COORDINATOR},
        query=requests.TasksQuerySchema,
        handler=task_pages.show,
    )
    act_on_task = page(
        "POST",
        "/referrals/tasks",
        roles={COORDINATOR},
        query=requests.TasksQuerySchema,
        handler=partial(task_pages.act, routes={"done": finish_task}),
        again=task_pages.show_again,
    )
    show_new_referral = page("GET", "/referrals/new", roles=CLINIC_STAFF, handler=referring.show)
    send_new_referral = page(
        "POST",
        "/referrals/new",
        roles=CLINIC_STAFF,
        handler=referring.send,
        again=referring.show_again,
    )
    show_referral = page(
        "GET", "/referrals/{referral_id}", roles=CLINIC_STAFF, handler=console.show
    )
    print_letter = page(
        "GET",
        "/referrals/{referral_id}/letter",
        roles=CLINIC_STAFF,
        handler=letter.show,
    )
    act_on_referral = page(
        "POST",
        "/referrals/{referral_id}",
        roles=CLINIC_STAFF,
        handler=partial(
            console.act,
            routes={
                "accept": accept_referral,
                "decline": decline_referral,
                "reopen": reopen_referral,
                "request-information": request_information,
                "provide-information": provide_information,
                "consent": give_consent,
                "withdraw": withdraw_referral,
                "pause": pause_referral,
                "resume": resume_referral,
            },
        ),
        again=console.show_again,
    )

    add_scan = page(
        "POST",
        "/referrals/{referral_id}/consent-scan",
        roles=CLINIC_STAFF,
        handler=partial(console.act, routes={"scan": put_consent_scan}),
        again=console.show_again,
        max_file_bytes=LARGEST_SCAN_BYTES,
    )
    show_scan = page(
        "GET",
        "/referrals/{referral_id}/consent-scan",
        roles=CLINIC_STAFF,
        files=tuple(MediaType),
        handler=scan.read_consent_scan,
    )
    show_own = page(
        "GET",
        "/referrals/mine",
        roles={CLIENT},
        handler=own.show_mine,
        menu={"en": "My peer support", "es": "Mi apoyo entre pares"},
    )
    act_on_own = page(
        "POST",
        "/referrals/mine",
        roles={CLIENT},
        handler=own.act_on_mine,
        again=own.show_mine_again,
    )
    show_self_referral = page("GET", "/referrals/self/{clinic_id}", handler=self_referral.show)
    send_self_referral = page(
        "POST",
        "/referrals/self/{clinic_id}",
        handler=self_referral.send,
        again=self_referral.show_again,
    )
    show_link = page("GET", "/l/{secret}", handler=own.show)
    use_link = page("POST", "/l/{secret}", handler=own.use)

    name_to_staff = page(
        "GET",
        "/referrals/fragments/people/{referral_id}",
        roles={COORDINATOR},
        handler=fragments.name_to_staff,
    )
    name_person = page(
        "GET",
        "/referrals/fragments/names/{referral_id}",
        roles={PEER},
        handler=fragments.name_person,
    )

    tell_needs = internal(
        "POST",
        "/needs",
        callers={"matching": {"matching"}},
        body=requests.IdsSchema,
        answer=answers.NeedsAnswerSchema,
        handler=tell.tell_needs,
    )
    tell_contacts = internal(
        "POST",
        "/contacts",
        callers={"notifications": {"notification"}},
        body=requests.ContactsQuestionSchema,
        answer=answers.ContactsAnswerSchema,
        handler=tell.tell_contacts,
    )
    tell_people = internal(
        "POST",
        "/people",
        callers={"scheduling": {"scheduling"}},
        body=requests.IdsSchema,
        answer=answers.PeopleAnswerSchema,
        handler=tell.tell_people,
    )

    note_organisation = from_matching(
        "peer_organisation.registered.v1",
        schema=events.PeerOrganisationRegisteredSchema,
        handler=follow.note_organisation,
    )
    note_shortlist = from_matching(
        "match.shortlisted.v1", schema=events.MatchShortlistedSchema, handler=follow.note_shortlist
    )
    note_no_peer = from_matching(
        "match.no_peer_found.v1", schema=events.MatchNoPeerFoundSchema, handler=follow.note_no_peer
    )
    note_offer = from_matching(
        "match.offered.v1", schema=events.MatchOfferedSchema, handler=follow.note_offer
    )
    note_choice = from_matching(
        "match.chosen.v1", schema=events.MatchWithPeerSchema, handler=follow.note_choice
    )
    note_match = from_matching(
        "match.confirmed.v1", schema=events.MatchConfirmedSchema, handler=follow.note_match
    )
    note_no = from_matching(
        "match.declined.v1", schema=events.MatchDeclinedSchema, handler=follow.note_no
    )
    note_offer_taken_back = from_matching(
        "match.offer_taken_back.v1",
        schema=events.MatchSchema,
        handler=follow.note_offer_taken_back,
    )
    note_offer_expired = from_matching(
        "match.offer_expired.v1", schema=events.MatchSchema, handler=follow.note_offer_expired
    )
    note_activation = from_matching(
        "match.activated.v1", schema=events.MatchWithPeerSchema, handler=follow.note_activation
    )
    note_quiet = from_matching(
        "match.quiet.v1", schema=events.MatchWithPeerSchema, handler=follow.note_quiet
    )
    note_in_touch = from_matching(
        "match.in_touch.v1", schema=events.MatchWithPeerSchema, handler=follow.note_in_touch
    )
    note_match_end = from_matching(
        "match.ended.v1",
        schema=events.MatchEndedSchema,
        overtakes=True,
        handler=follow.note_match_end,
    )
    note_disowned_match_link = from_matching(
        "match.contact_disowned.v1",
        schema=events.MatchContactDisownedSchema,
        handler=follow.note_disowned_contact,
    )

    note_session_booked = from_scheduling(
        "session.booked.v1", schema=events.SessionSchema, handler=follow.note_session_booked
    )
    note_session_rescheduled = from_scheduling(
        "session.rescheduled.v1",
        schema=events.SessionSchema,
        handler=follow.note_session_rescheduled,
    )
    note_session_cancelled = from_scheduling(
        "session.cancelled.v1",
        schema=events.SessionCancelledSchema,
        overtakes=True,
        handler=follow.note_session_cancelled,
    )
    note_session_outcome = from_scheduling(
        "session.outcome_recorded.v1",
        schema=events.SessionOutcomeSchema,
        handler=follow.note_session_outcome,
    )
    note_session_covered = from_scheduling(
        "session.covered.v1", schema=events.SessionSchema, handler=follow.note_session_covered
    )
    note_leave_question = from_scheduling(
        "leave.asked.v1", schema=events.LeaveQuestionSchema, handler=follow.note_leave_question
    )
    note_leave_answer = from_scheduling(
        "leave.answered.v1", schema=events.LeaveAnsweredSchema, handler=follow.note_leave_answer
    )
    note_peer_there = from_scheduling(
        "leave.question_withdrawn.v1",
        schema=events.LeaveQuestionSchema,
        handler=follow.note_peer_there,
    )
    note_disowned_leave_link = from_scheduling(
        "leave.contact_disowned.v1",
        schema=events.LeaveContactDisownedSchema,
        handler=follow.note_disowned_contact,
    )
    note_disowned_session_link = from_scheduling(
        "session.contact_disowned.v1",
        schema=events.SessionContactDisownedSchema,
        handler=follow.note_disowned_contact,
    )

    note_delivery = from_notifications(
        "notification.delivered.v1",
        schema=events.MessageByChannelSchema,
        handler=follow.note_delivery,
    )
    note_withheld = from_notifications(
        "notification.withheld.v1",
        schema=events.MessageWithReasonSchema,
        handler=follow.note_withheld,
    )
    note_undeliverable = from_notifications(
        "notification.undeliverable.v1",
        schema=events.MessageWithReasonSchema,
        handler=follow.note_undeliverable,
    )
    note_staff_needed = from_notifications(
        "notification.needs_staff.v1",
        schema=events.MessageByChannelSchema,
        handler=follow.note_staff_needed,
    )

    # After a restore.
    recall_acceptance = recalls("referral.accepted.v1", handler=recall.accept)
    recall_reopening = recalls("referral.reopened.v1", handler=recall.reopen)
    recall_decline = recalls("referral.declined.v1", handler=recall.decline)
    recall_withdrawal = recalls("referral.withdrawn.v1", handler=recall.withdraw)
    recall_completion = recalls("referral.completed.v1", handler=recall.complete)
    recall_consent_end = recalls("referral.consent_ended.v1", handler=recall.end_consent)
    recall_pause = recalls("referral.paused.v1", handler=recall.pause)
    recall_resumption = recalls("referral.resumed.v1", handler=recall.resume)
    recall_correction = recalls("referral.corrected.v1", handler=recall.distrust)

    forget_synthetic = every(seconds=600, handler=synthetic.forget)
    measure = every(seconds=60, handler=measures.measure)
    expire_consents = every(seconds=60, handler=consent.expire_consents)
    end_pauses = every(seconds=60, handler=pause.end_pauses)
