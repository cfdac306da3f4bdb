"""A peer plans a time away: the person is asked by mail, and somebody else takes the session."""

from datetime import datetime, timedelta

from deploy.region.mailbox import Letter
from tests.acceptance.clients import Place, confirm, press
from tests.acceptance.running import eventually


def test_a_session_in_a_peers_time_away_goes_to_a_colleague_as_the_person_wished(
    place: Place,
) -> None:
    peer, colleague = place.add_peer(), place.add_peer(capacity=0)
    story = place.story()
    matched = confirm(place, story, peer)
    session = story.book(matched.match_id, story.times(matched.match_id)[0]["starts_at"])
    day = datetime.fromisoformat(session["wall_starts_at"]).date()
    days = {"first_day": str(day), "last_day": str(day + timedelta(days=8))}
    path = f"/api/scheduling/people/{peer.id}/leave"
    leave = place.api.call("POST", path, by=peer.account, body=days).expect(201).body
    assert (leave["asked"], leave["questions"]) == (1, [])

    def asked() -> Letter | None:
        letters = place.mailbox.letters(matched.client_email or "")
        return next((one for one in letters if "will be away" in one.text), None)

    letter = eventually(asked, "the person is asked by mail")
    assert letter is not None
    answered = press(place.api, letter.links[0], "cover")
    assert "Meets somebody else meanwhile" in answered.text
    found = place.api.get(f"/api/scheduling/sessions/{session['id']}", by=place.coordinator)
    covered = place.api.call(
        "POST",
        f"/api/scheduling/sessions/{session['id']}/cover",
        by=place.coordinator,
        body={"peer_id": colleague.id},
        headers={"If-Match": found.etag or ""},
    )

    assert covered.expect().body["peer_id"] == colleague.id
    about = {"kind": "session-covered", "session_id": session["id"]}
    for role in ("client", "peer"):
        story.wait_for_message(matched.referral_id, "delivered", to=role, **about)
    handed_over = {"kind": "session-handed-over", "session_id": session["id"]}
    story.wait_for_message(matched.referral_id, "delivered", to="peer", **handed_over)
    story.wait_for_step(matched.referral_id, "peer-away-cover")


def test_whoever_would_rather_change_is_looked_for_anew(place: Place) -> None:
    peer = place.add_peer()
    story = place.story()
    matched = confirm(place, story, peer)
    session = story.book(matched.match_id, story.times(matched.match_id)[0]["starts_at"])
    day = datetime.fromisoformat(session["wall_starts_at"]).date()
    path = f"/api/scheduling/people/{peer.id}/leave"
    days = {"first_day": str(day), "last_day": str(day)}
    leave = place.api.call("POST", path, by=peer.account, body=days).expect(201).body

    client = place.client(matched.client_id)
    place.api.call(
        "POST",
        f"/api/scheduling/leave/{leave['id']}/answer",
        by=client,
        body={"match_id": matched.match_id, "wish": "change"},
    ).expect()

    story.wait_for_match(matched.match_id, "ended")

    def called_off() -> bool:
        path = f"/api/scheduling/sessions/{session['id']}"
        return bool(place.api.get(path, by=client).body["state"] == "cancelled")

    eventually(called_off, "the session is called off")
