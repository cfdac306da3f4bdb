"""What reaches matching, and which handler answers. Open this file first."""

from functools import partial

from services.chassis.cursors import PageSchema
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, OPERATOR, PEER, SUPERVISOR
from services.chassis.service import Service, consumes, every, internal, page, recalls, route
from services.matching import questions
from services.matching.handlers import (
    absences,
    answers,
    capacity,
    contact,
    linking,
    matches,
    offering,
    organisations,
    peers,
    proposing,
    ranking,
    recall,
    synthetic,
    telling,
)
from services.matching.pages import capacity as capacity_pages
from services.matching.pages import console, fragments, links, mine, set_aside, today, why
from services.matching.pages import peers as peer_pages
from services.matching.pages import proposals as proposal_pages
from services.matching.schemas import heard, published
from services.matching.schemas import matches as match_wire
from services.matching.schemas import peers as peer_wire


class Matching(Service):
    name = "matching"
    publishes = published.PUBLISHED

    put_peer_organisation = route(
        "PUT",
        "/peer-organisations/{peer_organisation_id}",
        roles={OPERATOR, SUPERVISOR},
        body=peer_wire.PeerOrganisationBodySchema,
        answer=peer_wire.PeerOrganisationSchema,
        errors=(404,),
        guarded=True,
        handler=organisations.put_peer_organisation,
    )
    read_peer_organisation = route(
        "GET",
        "/peer-organisations/{peer_organisation_id}",
        roles={OPERATOR, SUPERVISOR, COORDINATOR, PEER},
        answer=peer_wire.PeerOrganisationSchema,
        errors=(404,),
        handler=organisations.read_peer_organisation,
    )
    list_peer_organisations = route(
        "GET",
        "/peer-organisations",
        roles={OPERATOR, SUPERVISOR, COORDINATOR},
        query=PageSchema,
        answer=peer_wire.PeerOrganisationSchema,
        many=True,
        handler=organisations.list_peer_organisations,
    )

    add_peer = route(
        "POST",
        "/peers",
        roles={COORDINATOR, SUPERVISOR},
        body=peer_wire.NewPeerSchema,
        answer=peer_wire.PeerSchema,
        status=201,
        errors=(404, 409),
        handler=peers.add_peer,
    )
    add_peers = route(
        "POST",
        "/peers/many",
        roles={COORDINATOR, SUPERVISOR},
        body=peer_wire.NewPeersSchema,
        answer=peer_wire.PeersSchema,
        status=201,
        errors=(404, 409),
        handler=peers.add_peers,
    )
    list_peers = route(
        "GET",
        "/peers",
        roles={COORDINATOR, SUPERVISOR},
        query=PageSchema,
        answer=peer_wire.PeerSchema,
        many=True,
        handler=peers.list_peers,
    )
    read_peer = route(
        "GET",
        "/peers/{peer_id}",
        roles={COORDINATOR, SUPERVISOR, PEER},
        answer=peer_wire.PeerSchema,
        errors=(404,),
        handler=peers.read_peer,
    )
    change_peer = route(
        "PATCH",
        "/peers/{peer_id}",
        roles={COORDINATOR, SUPERVISOR, PEER},
        body=peer_wire.PeerChangeSchema,
        answer=peer_wire.PeerSchema,
        errors=(404, 409),
        guarded=True,
        handler=peers.change_peer,
    )

    show_capacity = route(
        "GET",
        "/capacity",
        roles={CLINIC, COORDINATOR, SUPERVISOR},
        query=match_wire.CapacityQuerySchema,
        answer=match_wire.CapacitySchema,
        handler=capacity.show_capacity,
    )
    list_waiting = route(
        "GET",
        "/waiting",
        roles={COORDINATOR, SUPERVISOR},
        query=match_wire.WaitingQuerySchema,
        answer=match_wire.WaitingSchema,
        many=True,
        handler=offering.list_waiting,
    )
    read_shortlist = route(
        "GET",
        "/referrals/{referral_id}/shortlist",
        roles={COORDINATOR, SUPERVISOR},
        answer=match_wire.ShortlistSchema,
        errors=(404,),
        handler=offering.read_shortlist,
    )
    offer = route(
        "POST",
        "/referrals/{referral_id}/offer",
        roles={COORDINATOR},
        body=match_wire.NewOfferSchema,
        answer=match_wire.OfferSchema,
        status=201,
        prepare=questions.acceptance,
        errors=(404, 409),
        guarded=True,
        handler=offering.offer,
    )
    read_offer = route(
        "GET",
        "/offers/{offer_id}",
        roles={COORDINATOR, SUPERVISOR, CLINIC, CLIENT},
        answer=match_wire.OfferSchema,
        errors=(404,),
        handler=offering.read_offer,
    )
    choose = route(
        "POST",
        "/offers/{offer_id}/choose",
        roles={CLIENT, COORDINATOR, CLINIC},
        body=match_wire.ChoiceSchema,
        answer=match_wire.MatchSchema,
        errors=(404, 409),
        guarded=True,
        handler=answers.choose,
    )
    take_offer_back = route(
        "POST",
        "/offers/{offer_id}/take-back",
        roles={COORDINATOR},
        answer=match_wire.MatchSchema,
        errors=(404, 409),
        guarded=True,
        handler=answers.take_offer_back,
    )
    read_match = route(
        "GET",
        "/matches/{match_id}",
        roles={COORDINATOR, SUPERVISOR, CLINIC, CLIENT, PEER},
        answer=match_wire.MatchSchema,
        errors=(404,),
        handler=matches.read_match,
    )
    accept = route(
        "POST",
        "/matches/{match_id}/accept",
        roles={PEER, COORDINATOR},
        body=match_wire.RecordedSchema,
        answer=match_wire.MatchSchema,
        errors=(404, 409),
        guarded=True,
        handler=answers.accept,
    )
    decline = route(
        "POST",
        "/matches/{match_id}/decline",
        roles={PEER, CLIENT, COORDINATOR, CLINIC},
        body=match_wire.DeclineSchema,
        answer=match_wire.NextStepSchema,
        errors=(404, 409),
        guarded=True,
        handler=answers.decline,
    )
    end = route(
        "POST",
        "/matches/{match_id}/end",
        roles={PEER, CLIENT, COORDINATOR, CLINIC},
        body=match_wire.EndSchema,
        answer=match_wire.NextStepSchema,
        errors=(404, 409),
        guarded=True,
        handler=matches.end,
    )

    show_set_aside = page(
        "GET",
        "/matching/fragments/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.show,
    )
    try_again = page(
        "POST",
        "/matching/set-aside",
        roles={COORDINATOR},
        handler=set_aside.SET_ASIDE.act,
    )

    show_link = page("GET", "/l/{secret}", handler=links.show)
    use_link = page("POST", "/l/{secret}", handler=links.use)

    show_today = page(
        "GET",
        "/matching/today",
        roles={COORDINATOR},
        handler=today.show,
        menu={"en": "Today", "es": "Hoy"},
        is_start=True,
    )
    show_waiting = page(
        "GET",
        "/matching/waiting",
        roles={COORDINATOR, SUPERVISOR},
        query=match_wire.WaitingQuerySchema,
        handler=console.show_waiting,
        menu={"en": "Waiting list", "es": "Lista de espera"},
    )
    show_proposals = page(
        "GET",
        "/matching/proposals",
        roles={COORDINATOR},
        handler=proposal_pages.show,
    )
    show_peers = page(
        "GET",
        "/matching/peers",
        roles={COORDINATOR, SUPERVISOR},
        query=PageSchema,
        handler=peer_pages.show,
        menu={"en": "Peers", "es": "Pares"},
    )
    show_mine = page(
        "GET",
        "/matching/mine",
        roles={PEER},
        handler=mine.show,
        menu={"en": "About me", "es": "Sobre mí"},
    )
    change_mine = page(
        "POST", "/matching/mine", roles={PEER}, handler=mine.change, again=mine.show_again
    )
    name_peer = page(
        "GET",
        "/matching/fragments/peers/{peer_id}",
        roles={COORDINATOR, SUPERVISOR},
        handler=fragments.name_peer,
    )
    tell_capacity = page(
        "GET",
        "/matching/fragments/capacity",
        roles={CLINIC, COORDINATOR},
        handler=capacity_pages.show,
    )
    show_cards = page(
        "GET",
        "/matching/fragments/cards/{referral_id}",
        roles={COORDINATOR},
        handler=fragments.show_cards,
    )
    list_offers = page(
        "GET",
        "/matching/fragments/referrals/{referral_id}",
        roles={COORDINATOR},
        handler=fragments.list_offers,
    )
    show_search = page(
        "GET",
        "/matching/referrals/{referral_id}",
        roles={COORDINATOR, SUPERVISOR},
        handler=console.show_search,
    )
    show_why = page(
        "GET",
        "/matching/referrals/{referral_id}/why",
        roles={COORDINATOR},
        query=why.WhySchema,
        handler=why.show,
    )
    act_on_search = page(
        "POST",
        "/matching/referrals/{referral_id}",
        roles={COORDINATOR},
        handler=partial(
            console.act,
            routes={
                "offer": offer,
                "take-back": take_offer_back,
                "choose": choose,
                "accept": accept,
                "decline": decline,
            },
        ),
        again=console.show_search_again,
    )

    tell_peers = internal(
        "POST",
        "/peers",
        callers={"scheduling": {"scheduling"}},
        body=peer_wire.IdsSchema,
        answer=peer_wire.PeerStatesSchema,
        handler=telling.tell_peers,
    )
    tell_contacts = internal(
        "POST",
        "/contacts",
        callers={"notifications": {"notification"}},
        body=peer_wire.IdsSchema,
        answer=peer_wire.PeerContactsSchema,
        handler=telling.tell_contacts,
    )
    tell_matches = internal(
        "POST",
        "/matches",
        callers={"scheduling": {"scheduling"}, "notifications": {"notification"}},
        body=peer_wire.IdsSchema,
        answer=match_wire.MatchesSchema,
        handler=telling.tell_matches,
    )
    make_link = internal(
        "POST",
        "/links",
        callers={"notifications": {"notification"}},
        body=match_wire.LinkRequestSchema,
        answer=match_wire.LinkSchema,
        handler=linking.make_link,
    )

    remember_clinic = consumes(
        "clinic.registered.v1",
        source="referrals",
        schema=heard.ClinicRegisteredSchema,
        handler=organisations.remember_clinic,
    )
    rank = consumes(
        "referral.submitted.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        asks=questions.needs,
        handler=ranking.rank,
    )
    take_over = consumes(
        "referral.taken_over.v1",
        source="referrals",
        schema=heard.ReferralTakenOverSchema,
        asks=questions.needs,
        handler=ranking.take_over,
    )
    rank_again_after_reopening = consumes(
        "referral.reopened.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        asks=questions.needs,
        handler=ranking.rank,
    )
    rank_after_consent = consumes(
        "referral.consent_renewed.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        asks=questions.needs,
        handler=ranking.rank,
    )
    correct = consumes(
        "referral.corrected.v1",
        source="referrals",
        schema=heard.ReferralCorrectedSchema,
        asks=questions.needs,
        handler=ranking.correct,
    )
    remember_acceptance = consumes(
        "referral.accepted.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.remember_acceptance,
    )
    end_declined = consumes(
        "referral.declined.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.end_declined,
        overtakes=True,
    )
    end_withdrawn = consumes(
        "referral.withdrawn.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.end_withdrawn,
        overtakes=True,
    )
    end_without_consent = consumes(
        "referral.consent_ended.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.end_without_consent,
        overtakes=True,
    )
    note_pause = consumes(
        "referral.paused.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.note_pause,
    )
    note_resumption = consumes(
        "referral.resumed.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.note_resumption,
    )
    look_for_another_peer = consumes(
        "referral.another_peer_asked.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.look_for_another_peer,
    )
    end_completed = consumes(
        "referral.completed.v1",
        source="referrals",
        schema=heard.ReferralSchema,
        handler=ranking.end_completed,
        overtakes=True,
    )
    activate = consumes(
        "session.outcome_recorded.v1",
        source="scheduling",
        schema=heard.OutcomeRecordedSchema,
        handler=ranking.activate,
        together=True,
    )
    note_contact = consumes(
        "contact.logged.v1",
        source="scheduling",
        schema=heard.ContactLoggedSchema,
        handler=contact.note_logged,
    )
    note_disowned_contact = consumes(
        "session.contact_disowned.v1",
        source="scheduling",
        schema=heard.ContactDisownedSchema,
        handler=peers.note_disowned_contact,
    )
    note_leave = consumes(
        "leave.planned.v1",
        source="scheduling",
        schema=heard.LeaveSchema,
        handler=absences.note,
    )
    forget_leave = consumes(
        "leave.withdrawn.v1",
        source="scheduling",
        schema=heard.LeaveSchema,
        handler=absences.forget,
    )
    change_peer_for_leave = consumes(
        "leave.answered.v1",
        source="scheduling",
        schema=heard.LeaveAnsweredSchema,
        handler=absences.change_peer,
    )

    # After a restore.
    recall_organisation = recalls("peer_organisation.registered.v1", handler=recall.register)
    recall_peer_change = recalls("peer.updated.v1", handler=recall.distrust)
    recall_shortlist = recalls("match.shortlisted.v1", handler=recall.look_again)
    recall_no_peer = recalls("match.no_peer_found.v1", handler=recall.look_again)
    recall_no = recalls("match.declined.v1", handler=recall.decline)
    recall_expiry = recalls("match.offer_expired.v1", handler=recall.look_again)
    recall_taking_back = recalls("match.offer_taken_back.v1", handler=recall.look_again)
    recall_offer = recalls("match.offered.v1", handler=recall.offer)
    recall_choice = recalls("match.chosen.v1", handler=recall.choose)
    recall_match = recalls("match.confirmed.v1", handler=recall.confirm)
    recall_quiet = recalls("match.quiet.v1", handler=contact.recall_quiet)
    recall_in_touch = recalls("match.in_touch.v1", handler=contact.recall_in_touch)
    recall_activation = recalls("match.activated.v1", handler=recall.activate)
    recall_end = recalls("match.ended.v1", handler=recall.end)
    recall_disowned_contact = recalls("match.contact_disowned.v1", handler=recall.disown)

    forget_synthetic = every(seconds=600, handler=synthetic.forget)
    expire_offers = every(seconds=15, handler=answers.expire_offers)
    note_quiet = every(seconds=600, handler=contact.note_quiet)
    work_out_waits = every(seconds=600, handler=capacity.work_out)
    mark_absences = every(seconds=60, handler=absences.mark)
    rank_the_waiting = every(seconds=5, handler=ranking.rank_the_waiting)
    forget_old_proposals = every(seconds=60, handler=proposing.forget_old)
