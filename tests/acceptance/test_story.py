"""The story: a clinic refers, the people choose each other, a session is booked, all are told."""

import icalendar

from deploy.region.api import Api
from deploy.region.forms import forms_of
from deploy.region.story import a_consent
from tests.acceptance.clients import Place, choose, confirm, offer, press, refer
from tests.acceptance.conftest import NewPlace
from tests.acceptance.running import Running, eventually


def test_a_referral_becomes_a_session_by_mail_links_alone(place: Place) -> None:
    peer = place.add_peer()
    story = place.story()
    body = place.referral(consent=None)

    referral = story.submit(body)
    assert referral["status"] == "awaiting-consent"
    story.consent(referral["id"], a_consent())
    assert story.seen_by_clinic(referral["id"])["status"] == "submitted"
    story.accept(referral["id"])
    match_id = story.shortlist(referral["id"])["match_id"]
    story.offer(referral["id"])
    story.use_link(story.letter(body["client"]["email"]))
    assert story.wait_for_match(match_id, "chosen")["peer_id"] == peer.id
    story.use_link(story.letter(peer.email))
    story.wait_for_match(match_id, "confirmed")
    session = story.book(match_id, story.times(match_id)[0]["starts_at"])

    for role, email in (
        ("client", body["client"]["email"]),
        ("peer", peer.email),
        ("clinic", place.clinic_email),
    ):
        about = {"kind": "session-booked", "session_id": session["id"]}
        story.wait_for_message(referral["id"], "delivered", to=role, **about)
        if role == "clinic":
            continue
        letter = story.letter(email, with_calendar=True)
        entry = icalendar.Calendar.from_ical(letter.calendar or b"").walk("VEVENT")[0]
        assert str(entry["UID"]).partition("@")[0] == session["id"]
        assert str(entry["SEQUENCE"]) == "0"
        for word in (body["wishes"], body["treatment_plan"]["goal"], "Walkthrough"):
            assert word not in letter.text + letter.subject
    steps = [entry["step"] for entry in story.wait_for_step(referral["id"], "booked")]
    assert len(steps) >= 7
    assert story.seen_by_clinic(referral["id"])["plan_line"]["state"] in {"matched", "in-progress"}


def test_nothing_of_a_referral_without_consent_leaves_its_service(
    system: Running, place: Place
) -> None:
    referral = place.story().submit(place.referral(consent=None))

    query = """
        SELECT type FROM outbox WHERE aggregate_id = %s
         UNION ALL SELECT type FROM outbox_sent WHERE aggregate_id = %s
    """
    assert system.rows("referrals", query, referral["id"], referral["id"]) == []
    assert system.rows("matching", "SELECT FROM needs WHERE referral_id = %s", referral["id"]) == []


def test_an_offer_before_the_coordinators_acceptance_is_refused(place: Place) -> None:
    place.add_peer()
    story = place.story()
    referral = story.submit(place.referral())
    story.shortlist(referral["id"])
    shortlist = f"/api/matching/referrals/{referral['id']}/shortlist"
    etag = story.api.get(shortlist, by=place.coordinator).etag or ""

    path = f"/api/matching/referrals/{referral['id']}/offer"
    reply = story.api.call("POST", path, by=place.coordinator, body={}, headers={"If-Match": etag})

    assert reply.status == 409


def test_a_clinic_whose_policy_accepts_needs_no_coordinator_for_it(new_place: NewPlace) -> None:
    place = new_place(auto_accept=True)
    place.add_peer()
    story = place.story()

    referral = story.submit(place.referral())

    assert referral["status"] == "accepted"
    story.shortlist(referral["id"])
    story.offer(referral["id"])


def test_opening_a_link_shows_a_page_and_acts_on_nothing(api: Api, place: Place) -> None:
    place.add_peer()
    story = place.story()
    matched = offer(place, story)
    link = story.letter(matched.client_email or "").links[0]

    pages = [api.show_link(link) for _ in range(3)]

    assert [page.status for page in pages] == [200, 200, 200]
    assert all(form.method == "POST" for form in forms_of(pages[0].text))
    assert story.match(matched.match_id)["state"] == "offered"


def test_a_link_that_was_used_is_gone(api: Api, place: Place) -> None:
    place.add_peer()
    story = place.story()
    matched = offer(place, story)
    letter = story.letter(matched.client_email or "")
    form = forms_of(api.show_link(letter.links[0]).text)[0]
    api.send_form(form, letter.links[0]).expect(200, 303)

    again = api.send_form(form, letter.links[0])

    assert again.status == 410
    assert api.show_link(letter.links[0]).status == 410
    assert story.match(matched.match_id)["state"] == "chosen"


def test_a_link_that_was_never_sent_leads_nowhere(api: Api, system: Running) -> None:
    for letter in "rmsn":
        assert api.show_link(f"/l/{letter}-{'A' * 43}").status == 404


def test_this_is_not_me_closes_the_link_and_chooses_nothing(api: Api, place: Place) -> None:
    place.add_peer()
    story = place.story()
    matched = offer(place, story)
    link = story.letter(matched.client_email or "").links[0]

    press(api, link, "not-me").expect(200, 303)

    assert api.show_link(link).status == 410
    assert story.match(matched.match_id)["state"] != "chosen"


def test_a_peers_no_needs_no_reason_and_keeps_the_waiting_date(place: Place) -> None:
    peer = place.add_peer()
    place.add_peer()
    story = place.story()
    matched = offer(place, story, choice={"peer_id": peer.id, "reason": "closest"})
    choose(place, story, matched).expect()
    before = story.match(matched.match_id)

    path = f"/api/matching/matches/{matched.match_id}/decline"
    story.api.call("POST", path, by=peer.account, body={}).expect()

    after = story.match(matched.match_id)
    assert (after["state"], after["peer_id"]) == ("shortlisted", None)
    assert after["received_at"] == before["received_at"]


def test_no_peer_found_is_a_state_with_an_owner_and_is_said_to_client_and_clinic(
    place: Place,
) -> None:
    story = place.story()

    referral = story.submit(place.referral())

    for role in ("client", "clinic"):
        story.wait_for_message(referral["id"], "delivered", to=role, kind="no-peer-found")
    waiting = [
        one
        for one in story.api.all("/api/matching/waiting", by=place.coordinator)
        if one["referral_id"] == referral["id"]
    ]
    assert [(one["state"], one["owner"]) for one in waiting] == [("waiting", "coordinator")]
    assert waiting[0]["next_date"] is not None


def test_a_withdrawn_referral_ends_its_match_and_frees_the_booked_time(place: Place) -> None:
    peer = place.add_peer()
    story = place.story()
    matched = confirm(place, story, peer)
    starts_at = story.times(matched.match_id)[0]["starts_at"]
    session = story.book(matched.match_id, starts_at)

    path = f"/api/referrals/referrals/{matched.referral_id}"
    story.api.act(path, "withdraw", by=place.clinic).expect()

    story.wait_for_match(matched.match_id, "ended")
    session_path = f"/api/scheduling/sessions/{session['id']}"
    eventually(
        lambda: story.api.get(session_path, by=place.coordinator).body["state"] == "cancelled",
        "the session is cancelled",
    )
    other = confirm(place, story, peer)
    assert story.times(other.match_id)[0]["starts_at"] == starts_at


def test_consent_withdrawn_midway_stops_the_offer_and_messages_not_yet_sent(
    api: Api, place: Place
) -> None:
    place.add_peer()
    story = place.story()
    matched = offer(place, story)
    link = story.letter(matched.client_email or "").links[0]
    letters = len(place.mailbox.paths())

    path = f"/api/referrals/referrals/{matched.referral_id}"
    story.api.act(path, "withdraw-consent", by=place.clinic).expect()

    story.wait_for_match(matched.match_id, "ended")
    eventually(lambda: api.show_link(link).status == 410, "the link is closed")
    contacted = place.mailbox.letters(matched.client_email or "")
    assert len(contacted) == 1
    assert len(place.mailbox.paths()) - letters <= 1


def test_the_same_person_referred_again_is_linked_and_another_clinic_never_learns_of_it(
    place: Place, new_place: NewPlace
) -> None:
    story = place.story()
    body = place.referral()
    first = story.submit(body)
    second = story.submit({**body, "wishes": "Something else this time"})
    elsewhere = new_place()

    other = elsewhere.story().submit(elsewhere.referral(client=body["client"]))

    assert story.seen_by_clinic(second["id"])["linked_referral_id"] == first["id"]
    assert second["client_id"] == first["client_id"]
    assert other["client_id"] != first["client_id"]
    seen = elsewhere.story().seen_by_clinic(other["id"])
    assert first["id"] not in str(seen)
    assert first["client_id"] not in str(seen)


def test_a_corrected_address_is_used_from_then_on(place: Place) -> None:
    place.add_peer()
    story = place.story()
    referred = refer(place, story)
    email = f"corrected-{referred['referral']['id'][:8]}@clients.example"
    resource = f"/api/referrals/referrals/{referred['referral']['id']}"
    etag = story.api.get(resource, by=place.clinic).etag or ""

    story.api.call(
        "PATCH",
        f"{resource}/client",
        by=place.clinic,
        body={"email": email},
        headers={"If-Match": etag},
    ).expect()
    story.offer(referred["referral"]["id"])

    assert story.letter(email).links
    assert place.mailbox.letters(referred["body"]["client"]["email"]) == []
