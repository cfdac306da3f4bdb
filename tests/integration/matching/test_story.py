"""From a referral to a confirmed match, over HTTP and events, on a real database."""

from uuid import UUID, uuid4

from services.chassis.http.request import Caller
from tests import support
from tests.integration.matching.story import Story
from tests.support import Reply


def test_a_submitted_referral_is_shortlisted_with_reasons_and_no_topics(story: Story) -> None:
    best = story.add_peer(topics=["grief", "work"])
    other = story.add_peer(topics=[])

    referral_id = story.refer()

    reply = story.shortlist(referral_id)
    assert reply.status == 200, reply.text
    assert [one["peer_id"] for one in reply.json["candidates"]] == [str(best), str(other)]
    assert {"code": "topics-shared", "counts": {"met": 2, "of": 2}} in reply.json["candidates"][0][
        "reasons_for"
    ]
    assert "grief" not in reply.text
    name, data = story.scene.events()[-1]
    assert name == "match.shortlisted.v1"
    assert data["candidates"] == 2


def test_without_a_suitable_peer_the_coordinator_owns_the_search_and_it_is_said(
    story: Story,
) -> None:
    story.add_peer(languages=["es"])

    referral_id = story.refer()

    assert story.types()[-1] == "match.no_peer_found.v1"
    reply = story.shortlist(referral_id)
    assert (reply.json["state"], reply.json["owner"]) == ("waiting", "coordinator")
    assert reply.json["ruled_out"] == {"language": 1}


def test_what_would_open_more_is_counted_anew_and_changes_no_version(
    story: Story,
) -> None:
    story.add_peer(modes=["phone"])
    referral_id = story.refer(modes=["in-person", "video"])
    before = story.shortlist(referral_id)
    assert before.json["openings"] == {"phone": 1}

    story.pass_time_and_rank(lambda: story.add_peer(modes=["phone"]))

    after = story.shortlist(referral_id)
    assert after.json["openings"] == {"phone": 2}
    assert after.json["ruled_out"] == {"mode": 2}
    assert after.etag == before.etag


def test_a_new_peer_ends_the_waiting(story: Story) -> None:
    referral_id = story.refer()
    peer_id = story.pass_time_and_rank(story.add_peer)

    shortlist = story.shortlist(referral_id).json
    assert shortlist["state"] == "shortlisted"
    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(peer_id)]
    assert story.types()[-1] == "match.shortlisted.v1"


def test_a_shortlist_whose_peers_are_full_takes_in_a_new_peer(story: Story) -> None:
    full = story.add_peer(capacity=1)
    referral_id = story.refer()
    story.offer(story.refer())
    before = story.shortlist(referral_id)
    assert story.offer(referral_id).status == 409
    story.scene.run_timer("rank_the_waiting")
    assert story.shortlist(referral_id).etag == before.etag
    story.scene.pass_time(minutes=5)
    new = story.add_peer()

    story.scene.run_timer("rank_the_waiting")

    assert story.places()[full] == 1
    candidates = story.shortlist(referral_id).json["candidates"]
    assert [one["peer_id"] for one in candidates] == [str(new)]


def test_the_whole_way_to_a_confirmed_match(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    story.add_peer()
    referral_id = story.refer()

    offered = story.offer(referral_id)
    assert offered.status == 201, offered.text
    assert offered.json["peer_id"] == str(first)
    assert len(offered.json["peers"]) == 2
    assert story.places()[first] == 1
    chosen = story.choose(offered.json["id"])
    assert chosen.status == 200, chosen.text
    accepted = story.act("accept", chosen.json["match_id"], story.peer(first))
    assert accepted.status == 200, accepted.text

    assert accepted.json["state"] == "confirmed"
    assert accepted.json["mode"] == "in-person"
    assert story.types()[-3:] == ["match.offered.v1", "match.chosen.v1", "match.confirmed.v1"]
    orgs = story.scene.rows("SELECT type, org_id, clinic_org_id FROM outbox ORDER BY position")
    assert (orgs[-1]["org_id"], orgs[-1]["clinic_org_id"]) == (story.peer_org, story.clinic_id)
    assert orgs[-4]["org_id"] == story.clinic_id


def test_a_session_that_was_held_makes_the_match_active(story: Story) -> None:
    story.add_peer()
    match = story.confirmed(story.refer())
    session_id = uuid4()

    story.scene.receive(
        "session.outcome_recorded.v1",
        {"match_id": match["id"], "outcome": "held"},
        subject=session_id,
        org=story.peer_org,
        clinicorg=story.clinic_id,
    )

    assert story.match(match["id"]).json["state"] == "active"
    assert story.types()[-1] == "match.activated.v1"


def test_a_session_that_was_not_held_changes_nothing(story: Story) -> None:
    story.add_peer()
    match = story.confirmed(story.refer())

    story.scene.receive(
        "session.outcome_recorded.v1",
        {"match_id": match["id"], "outcome": "not-held"},
        subject=uuid4(),
        org=story.peer_org,
        clinicorg=story.clinic_id,
    )

    assert story.match(match["id"]).json["state"] == "confirmed"


def test_the_peer_cannot_accept_before_the_client_chose(story: Story) -> None:
    peer_id = story.add_peer()
    offered = story.offer(story.refer()).json

    reply = story.act("accept", offered["match_id"], story.peer(peer_id))

    assert reply.status == 409
    assert story.match(offered["match_id"]).json["state"] == "offered"


def test_before_the_acceptance_of_the_referral_an_offer_is_refused(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer(accepted=False)

    reply = story.offer(referral_id)

    assert reply.status == 409
    assert "match.offered.v1" not in story.types()


def test_an_acceptance_not_heard_of_yet_is_asked_for(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer(accepted=False)
    story.needs[referral_id]["accepted"] = True

    assert story.offer(referral_id).status == 201


def test_an_acceptance_heard_of_is_not_asked_for_again(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer(accepted=False)
    story.hear("referral.accepted.v1", referral_id)
    asked = len(story.scene.owners.asked)

    assert story.offer(referral_id).status == 201
    assert len(story.scene.owners.asked) == asked


def test_while_referrals_is_away_an_unheard_acceptance_answers_503(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer(accepted=False)
    story.scene.owners.answers.clear()

    assert story.offer(referral_id).status == 503


def test_an_offer_needs_the_version_that_the_coordinator_saw(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    path = {"referral_id": referral_id}

    missing = story.scene.call("offer", story.coordinator, {}, path=path)
    stale = story.scene.call("offer", story.coordinator, {}, path=path, if_match='"77"')

    assert (missing.status, stale.status) == (428, 412)


def test_another_order_than_the_shortlists_asks_for_a_reason(story: Story) -> None:
    story.add_peer(topics=["grief", "work"])
    second = story.add_peer()
    referral_id = story.refer()

    without = story.offer(referral_id, peer_id=str(second))
    given = story.offer(referral_id, peer_id=str(second), reason="They asked for somebody close.")

    assert without.status == 422
    assert "reason" in without.json["errors"]
    assert given.status == 201
    assert given.json["peer_id"] == str(second)


def test_somebody_who_is_not_on_the_shortlist_cannot_be_offered(story: Story) -> None:
    story.add_peer()
    stranger = story.add_peer(languages=["es"])

    reply = story.offer(story.refer(), peer_id=str(stranger), reason="why not")

    assert reply.status == 422
    assert "peer_id" in reply.json["errors"]


def test_an_answer_time_in_the_past_is_refused(story: Story) -> None:
    story.add_peer()

    reply = story.offer(story.refer(), answer_by="2020-01-01T00:00:00Z")

    assert reply.status == 422


def test_the_client_may_choose_an_alternate_whose_place_moves_along(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    other_org = uuid4()
    story.register_organisation(other_org)
    alternate = story.add_peer(org=other_org)
    offered = story.offer(story.refer()).json

    chosen = story.choose(offered["id"], peer_id=str(alternate))

    assert chosen.status == 200, chosen.text
    assert chosen.json["peer_organisation_id"] == str(other_org)
    assert (story.places()[first], story.places()[alternate]) == (0, 1)
    former = story.scene.call(
        "read_match", story.peer(first), path={"match_id": offered["match_id"]}
    )
    assert former.status == 404


def test_an_alternate_whose_place_was_taken_meanwhile_is_said_to_be(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    alternate = story.add_peer(capacity=1)
    offered = story.offer(story.refer()).json
    other = story.refer(excluded_peer_ids=[first])
    assert story.offer(other).json["peer_id"] == str(alternate)

    reply = story.choose(offered["id"], peer_id=str(alternate))

    assert reply.status == 409
    assert reply.json["type"].endswith("place-taken")
    shown = story.scene.call("read_offer", story.client, path={"offer_id": offered["id"]}).json
    assert [one["has_place"] for one in shown["peers"]] == [True, False]


def test_staff_may_record_what_the_client_said(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    offer = story.scene.call("read_offer", story.clinic, path={"offer_id": offered["id"]})
    path = {"offer_id": offered["id"]}
    body = {"recorded_for": str(story.client_id), "how": "phone"}

    without = story.scene.call("choose", story.clinic, body, path=path)
    recorded = story.scene.call("choose", story.clinic, body, path=path, if_match=offer.etag)

    assert without.status == 428
    assert recorded.status == 200, recorded.text


def test_a_choice_cannot_be_recorded_for_somebody_else(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json

    reply = story.choose(offered["id"], recorded_for=str(uuid4()))

    assert reply.status == 422


def test_a_peers_no_brings_the_referral_back_without_that_peer(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    second = story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    story.choose(offered["id"])

    reply = story.act("decline", offered["match_id"], story.peer(first))

    assert reply.status == 200, reply.text
    assert (reply.json["state"], reply.json["next_step"]) == ("shortlisted", "new-offer")
    assert reply.json["received_at"].startswith("2026-11-01T15:00:00")
    listed = [one["peer_id"] for one in story.shortlist(referral_id).json["candidates"]]
    assert listed == [str(second)]
    assert story.places() == {first: 0, second: 0}
    name, data = story.scene.events()[-1]
    assert (name, data["by"], data["candidates"]) == ("match.declined.v1", "peer", 1)


def test_a_clients_no_to_an_offer_is_about_everybody_in_it(story: Story) -> None:
    story.add_peer()
    story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json

    reply = story.act("decline", offered["match_id"], story.client)

    assert (reply.json["state"], reply.json["next_step"]) == ("waiting", "search-continues")
    assert story.types()[-2:] == ["match.declined.v1", "match.no_peer_found.v1"]
    assert story.shortlist(referral_id).json["candidates"] == []


def test_a_coordinator_who_records_a_no_says_whose(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json

    unsaid = story.act("decline", offered["match_id"], story.coordinator)
    said = story.act("decline", offered["match_id"], story.coordinator, by="client")

    assert unsaid.status == 422
    assert said.status == 200, said.text


def test_an_offer_that_nobody_answered_goes_back_and_passes_nobody_over(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    story.scene.run_timer("expire_offers")
    assert story.match(offered["match_id"]).json["state"] == "offered"
    story.scene.pass_time(days=5)

    story.scene.run_timer("expire_offers")

    shortlist = story.shortlist(referral_id).json
    assert (shortlist["state"], shortlist["owner"]) == ("shortlisted", "coordinator")
    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(peer_id)]
    assert story.places()[peer_id] == 0
    assert story.types()[-1] == "match.offer_expired.v1"
    assert story.choose(offered["id"]).status == 409


def test_another_peer_opens_a_round_that_keeps_the_waiting_date(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    second = story.add_peer()
    referral_id = story.refer()
    match = story.confirmed(referral_id)

    reply = story.act("end", match["id"], story.client, reason="another-peer")

    assert reply.status == 200, reply.text
    assert reply.json["next_step"] == "new-offer"
    shortlist = story.shortlist(referral_id).json
    assert (shortlist["round"], shortlist["id"]) == (2, reply.json["next_match_id"])
    assert shortlist["received_at"] == match["received_at"]
    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(second)]
    assert story.places()[first] == 0
    assert story.types()[-2:] == ["match.ended.v1", "match.shortlisted.v1"]


def taken_over(story: Story, peer_id: UUID) -> UUID:
    referral_id = uuid4()
    story.needs[referral_id] = story.need(referral_id=referral_id)
    told = {
        "referral_id": referral_id,
        "clinic_id": story.clinic_id,
        "client_id": story.client_id,
        "peer_id": peer_id,
        "peer_organisation_id": story.peer_org,
        "mode": "video",
    }
    story.scene.receive(
        "referral.taken_over.v1",
        told,
        subject=referral_id,
        org=story.peer_org,
        clinicorg=story.clinic_id,
    )
    return referral_id


def test_two_who_met_before_are_matched_at_once_and_take_a_place(story: Story) -> None:
    peer_id = story.add_peer(capacity=1)

    first = taken_over(story, peer_id)
    taken_over(story, peer_id)

    match = story.shortlist(first).json
    assert (match["state"], match["peer_id"], match["candidates"]) == ("active", str(peer_id), [])
    assert story.places()[peer_id] == 2
    told = [told for name, told in story.scene.events() if name == "match.confirmed.v1"]
    assert [one["existing"] for one in told] == [True, True]
    assert "match.offered.v1" not in story.types()
    following = story.refer()
    assert story.shortlist(following).json["state"] == "waiting"


def test_a_pair_whose_peer_is_not_known_is_parked(story: Story) -> None:
    referral_id = taken_over(story, uuid4())

    [parked] = story.scene.rows("SELECT state, reason FROM deferred")
    assert parked["state"] == "parked"
    assert "unknown-peer" in parked["reason"]
    assert story.shortlist(referral_id).status == 404


def test_somebody_else_can_be_asked_for_by_the_referrals_own_page(story: Story) -> None:
    first, second = story.add_peer(topics=["grief", "work"]), story.add_peer()
    referral_id = story.refer()
    match = story.confirmed(referral_id)

    story.hear("referral.another_peer_asked.v1", referral_id)
    story.hear("referral.another_peer_asked.v1", referral_id)

    shortlist = story.shortlist(referral_id).json
    assert (shortlist["round"], shortlist["received_at"]) == (2, match["received_at"])
    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(second)]
    assert story.places()[first] == 0


def test_during_a_pause_nobody_is_asked_and_afterwards_it_goes_on(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json

    story.hear("referral.paused.v1", referral_id, until=None)

    shortlist = story.shortlist(referral_id).json
    assert (shortlist["state"], shortlist["paused"]) == ("shortlisted", True)
    assert story.choose(offered["id"]).status == 409
    assert story.places()[peer_id] == 0
    refused = story.offer(referral_id)
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (409, "paused")
    story.hear("referral.resumed.v1", referral_id)
    assert story.offer(referral_id).status == 201


def test_a_pause_leaves_a_peer_who_said_yes_with_the_person(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    match = story.confirmed(referral_id)

    story.hear("referral.paused.v1", referral_id, until=None)

    shortlist = story.shortlist(referral_id).json
    assert (shortlist["id"], shortlist["state"]) == (match["id"], "confirmed")
    assert story.places()[peer_id] == 1


def test_the_client_may_end_it_at_any_moment_without_a_reason(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    match_id = story.shortlist(referral_id).json["id"]

    reply = story.act("end", match_id, story.client)

    assert reply.status == 200, reply.text
    assert (reply.json["end_reason"], reply.json["next_step"]) == ("client-choice", "none")
    assert story.scene.rows("SELECT referral_id FROM needs") == []
    assert story.act("end", match_id, story.client).status == 409


def test_staff_give_a_reason_for_the_end_and_a_peer_only_their_own(story: Story) -> None:
    peer_id = story.add_peer()
    match = story.confirmed(story.refer())

    unsaid = story.act("end", match["id"], story.coordinator)
    not_theirs = story.act("end", match["id"], story.peer(peer_id), reason="client-choice")
    theirs = story.act("end", match["id"], story.peer(peer_id))

    assert (unsaid.status, not_theirs.status, theirs.status) == (422, 403, 200)
    assert theirs.json["end_reason"] == "peer-unavailable"


def test_each_end_of_the_referral_ends_the_match_and_frees_the_place(story: Story) -> None:
    endings = {
        "referral.withdrawn.v1": "referral-withdrawn",
        "referral.declined.v1": "referral-declined",
        "referral.consent_ended.v1": "consent-ended",
        "referral.completed.v1": "goals-reached",
    }
    peer_id = story.add_peer(capacity=10)
    for event, reason in endings.items():
        referral_id = story.refer()
        match = story.confirmed(referral_id)

        story.hear(event, referral_id)

        assert story.match(match["id"]).json["end_reason"] == reason
        assert story.places()[peer_id] == 0
        assert story.types()[-1] == "match.ended.v1"


def test_consent_given_again_opens_another_round(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    story.hear("referral.consent_ended.v1", referral_id)

    story.hear("referral.consent_renewed.v1", referral_id)

    shortlist = story.shortlist(referral_id).json
    assert shortlist["round"] == 2
    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(peer_id)]


def test_without_valid_consent_nothing_is_stored(story: Story) -> None:
    story.add_peer()
    referral_id = uuid4()

    story.hear("referral.submitted.v1", referral_id)

    assert story.scene.rows("SELECT referral_id FROM needs") == []
    assert story.shortlist(referral_id).status == 404


def test_corrected_needs_are_ranked_anew(story: Story) -> None:
    english = story.add_peer()
    spanish = story.add_peer(languages=["es"])
    referral_id = story.refer()
    story.needs[referral_id]["languages"] = ["es-MX"]

    story.correct(referral_id)

    listed = [one["peer_id"] for one in story.shortlist(referral_id).json["candidates"]]
    assert listed == [str(spanish)]
    assert str(english) not in listed


def test_a_correction_after_the_end_opens_nothing(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    story.act("end", story.shortlist(referral_id).json["id"], story.client)

    story.correct(referral_id)

    assert story.shortlist(referral_id).json["state"] == "ended"


def test_a_wrong_link_undone_makes_the_offer_another_persons(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    other_id = uuid4()

    story.correct(referral_id, client_id=other_id, needs_changed=False)

    assert story.choose(offered["id"]).status == 404
    other = support.client(story.clinic_id, person=other_id)
    assert story.choose(offered["id"], other).status == 200
    assert story.scene.events()[-1][1]["client_id"] == str(other_id)


def test_an_administrative_end_keeps_the_search_going_with_the_same_peers(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    match = story.confirmed(referral_id)

    reply = story.act("end", match["id"], story.coordinator, reason="administrative")

    assert reply.json["next_step"] == "new-offer"
    candidates = story.shortlist(referral_id).json["candidates"]
    assert [one["peer_id"] for one in candidates] == [str(peer_id)]


def test_there_is_no_other_peer_to_wish_for_before_there_is_one(story: Story) -> None:
    story.add_peer()
    match_id = story.shortlist(story.refer()).json["id"]

    assert story.act("end", match_id, story.client, reason="another-peer").status == 409


def test_the_same_ranking_again_keeps_the_version_that_the_coordinator_saw(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    before = story.shortlist(referral_id).etag

    story.correct(referral_id)

    assert story.shortlist(referral_id).etag == before


def test_the_waiting_list_is_oldest_first_and_paged(story: Story) -> None:
    story.add_peer()
    late = story.refer(received_at="2026-11-10T15:00:00Z")
    early = story.refer(received_at="2026-10-10T15:00:00Z")

    first = story.scene.call("list_waiting", story.coordinator, query={"limit": 1})
    whole = story.scene.call("list_waiting", story.coordinator)

    assert [one["referral_id"] for one in first.json["items"]] == [str(early)]
    assert 'rel="next"' in first.headers["Link"]
    assert [one["referral_id"] for one in whole.json["items"]] == [str(early), str(late)]
    assert whole.json["items"][0]["owner"] == "coordinator"
    assert whole.json["items"][0]["next_date"]


def test_other_organisations_see_nothing(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    elsewhere = support.coordinator(uuid4())
    paths = {
        "read_shortlist": {"referral_id": referral_id},
        "read_offer": {"offer_id": offered["id"]},
        "read_match": {"match_id": offered["match_id"]},
        "read_peer": {"peer_id": peer_id},
    }

    for route, path in paths.items():
        assert story.scene.call(route, elsewhere, path=path).status == 404
    assert story.scene.call("list_waiting", elsewhere).json == {"items": []}
    assert story.scene.call("list_peers", elsewhere).json == {"items": []}
    stranger = support.client(story.clinic_id, person=uuid4())
    path = {"match_id": offered["match_id"]}
    assert story.scene.call("end", stranger, {}, path=path).status == 404


def test_a_minor_is_shortlisted_only_with_a_cleared_peer(story: Story) -> None:
    story.add_peer()
    cleared = story.add_peer(cleared_for_minors=True)

    shortlist = story.shortlist(story.refer(is_minor=True)).json

    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(cleared)]
    assert shortlist["ruled_out"] == {"minors": 1}


def test_only_organisations_that_the_consent_names_are_asked(story: Story) -> None:
    named_org = uuid4()
    story.register_organisation(named_org)
    story.add_peer()
    named = story.add_peer(org=named_org)

    shortlist = story.shortlist(story.refer(peer_organisation_ids=[named_org])).json

    assert [one["peer_id"] for one in shortlist["candidates"]] == [str(named)]
    assert shortlist["ruled_out"] == {"consent": 1}


def test_peers_are_told_by_ids_and_contacts_are_recorded_as_disclosed(story: Story) -> None:
    peer_id = story.add_peer(display_name="Ana")
    body = {"ids": [str(peer_id), str(uuid4())]}
    orgs = (story.peer_org,)

    peers = story.scene.ask(
        "/peers", caller="scheduling", purpose="scheduling", body=body, orgs=orgs
    )
    contacts = story.scene.ask(
        "/contacts", caller="notifications", purpose="notification", body=body, orgs=orgs
    )

    assert [one["peer_id"] for one in peers.json["peers"]] == [str(peer_id)]
    assert contacts.json["peers"][0]["name"] == "Ana"
    assert contacts.json["peers"][0]["language"] == "en"
    recorded = story.scene.rows("SELECT subject_id, recipient FROM disclosures")
    assert recorded == [{"subject_id": peer_id, "recipient": "notifications"}]


def test_matches_are_told_by_ids(story: Story) -> None:
    story.add_peer()
    match = story.confirmed(story.refer())

    reply = story.scene.ask(
        "/matches",
        caller="scheduling",
        purpose="scheduling",
        body={"ids": [match["id"]]},
        orgs=(story.clinic_id,),
    )

    told = reply.json["matches"][0]
    assert (told["match_id"], told["state"], told["mode"]) == (
        match["id"],
        "confirmed",
        "in-person",
    )
    assert UUID(told["peer_id"]) in story.places()


def test_an_answer_needs_no_body(story: Story) -> None:
    peer_id = story.add_peer()
    offered = story.offer(story.refer()).json
    offer, match = {"offer_id": offered["id"]}, {"match_id": offered["match_id"]}

    chosen = story.scene.call("choose", story.client, path=offer)
    accepted = story.scene.call("accept", story.peer(peer_id), path=match)
    ended = story.scene.call("end", story.client, path=match)

    assert [one.status for one in (chosen, accepted, ended)] == [200, 200, 200]


def test_a_coordinator_takes_an_offer_back_and_nobody_is_passed_over(story: Story) -> None:
    peer_id = story.add_peer(capacity=1)
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    offered = story.offer(referral_id).json

    def take_back(caller: Caller) -> Reply:
        path = {"offer_id": offered["id"]}
        etag = story.scene.call("read_offer", story.coordinator, path=path).etag
        return story.scene.call("take_offer_back", caller, path=path, if_match=etag)

    reply = take_back(story.coordinator)

    assert (reply.status, reply.json["state"]) == (200, "shortlisted"), reply.text
    assert story.types()[-1] == "match.offer_taken_back.v1"
    assert story.places() == story.held_places() == {peer_id: 0}
    again = story.offer(referral_id)
    assert (again.status, again.json["peer_id"]) == (201, str(peer_id))
    assert take_back(story.coordinator).status == 409


def test_what_the_person_has_chosen_is_not_taken_back(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    offered = story.offer(referral_id).json
    story.choose(offered["id"])
    path = {"offer_id": offered["id"]}
    etag = story.scene.call("read_offer", story.coordinator, path=path).etag

    reply = story.scene.call("take_offer_back", story.coordinator, path=path, if_match=etag)

    assert reply.status == 409
    assert story.match(offered["match_id"]).json["state"] == "chosen"


def test_a_referral_that_is_looked_at_again_is_searched_for_in_a_new_round(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    story.hear("referral.declined.v1", referral_id, reason="no-capacity")
    assert story.shortlist(referral_id).json["state"] == "ended"

    story.hear("referral.reopened.v1", referral_id)

    again = story.shortlist(referral_id).json
    assert (again["state"], again["round"]) == ("shortlisted", 2)
