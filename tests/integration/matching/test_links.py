"""Mailed links: shown by GET, acted on by POST, good for one answer."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.matching.story import Story
from tests.support import Reply


def link(story: Story, purpose: str, match_id: str, person_id: UUID, **more: str) -> Reply:
    body = {"purpose": purpose, "match_id": match_id, "person_id": str(person_id), **more}
    return story.scene.ask(
        "/links",
        caller="notifications",
        purpose="notification",
        body=body,
        orgs=(story.clinic_id, story.peer_org),
    )


def contact_of(story: Story, peer_id: UUID) -> dict[str, Any]:
    body = {"ids": [str(peer_id)]}
    reply = story.scene.ask(
        "/contacts",
        caller="notifications",
        purpose="notification",
        body=body,
        orgs=(story.peer_org,),
    )
    assert reply.status == 200, reply.text
    (contact,) = reply.json["peers"]
    return dict(contact)


def disown_by_session(story: Story, person: str, person_id: UUID) -> None:
    story.scene.receive(
        "session.contact_disowned.v1",
        {"person": person, "person_id": person_id},
        subject=uuid4(),
        org=story.peer_org,
        clinicorg=story.clinic_id,
    )


def post(story: Story, path: str, **form: str) -> Reply:
    return story.scene.request("POST", path, form=form)


def test_the_client_sees_names_and_ways_and_nothing_about_health(story: Story) -> None:
    story.add_peer(display_name="Ana", topics=["grief", "work"])
    story.add_peer(display_name="Ben", modes=["video"])
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    page = story.scene.request("GET", path)

    assert page.status == 200, page.text
    assert "Ana" in page.text
    assert "by video" in page.text
    assert "grief" not in page.text
    assert story.match(offered["match_id"]).json["state"] == "offered"


def test_every_page_is_in_the_language_of_the_mail_whatever_the_browser_speaks(
    story: Story,
) -> None:
    peer_id = story.add_peer(display_name="Ben")
    match_id = story.offer(story.refer()).json["match_id"]
    english = {"accept-language": "en-US"}
    choose = link(story, "choose", match_id, story.client_id, language="es").json["path"]

    shown = story.scene.request("GET", choose, headers=english)
    form = {"choose": str(peer_id)}
    chosen = story.scene.request("POST", choose, form=form, headers=english)
    (withdraw,) = re.findall(r'href="(/l/[^"]+)"', chosen.text)
    left = story.scene.request("GET", withdraw, headers=english)
    respond = link(story, "respond", match_id, peer_id, language="es").json["path"]
    form = {"act": "not-me"}
    disowned = story.scene.request("POST", respond, form=form, headers=english)

    assert "Elegir a Ben" in shown.text
    assert "Gracias por avisarnos" in disowned.text
    for page in (shown, chosen, left, disowned):
        assert page.status == 200, page.text
        assert '<html lang="es"' in page.text


def test_a_mail_in_no_language_of_ours_leads_to_an_english_page(story: Story) -> None:
    story.add_peer()
    match_id = story.offer(story.refer()).json["match_id"]
    path = link(story, "choose", match_id, story.client_id, language="tlh").json["path"]

    page = story.scene.request("GET", path, headers={"accept-language": "es"})

    assert '<html lang="en"' in page.text


def test_the_browser_decides_where_the_link_is_not_known(story: Story) -> None:
    page = story.scene.request("GET", f"/l/m-{'A' * 43}", headers={"accept-language": "es"})

    assert page.status == 404
    assert '<html lang="es"' in page.text


def test_the_client_chooses_and_the_peer_accepts_by_link(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    alternate = story.add_peer()
    offered = story.offer(story.refer()).json
    choose = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    chosen = post(story, choose, choose=str(alternate))
    respond = link(story, "respond", offered["match_id"], alternate).json["path"]
    shown = story.scene.request("GET", respond)
    accepted = post(story, respond, act="accept")

    assert (chosen.status, shown.status, accepted.status) == (200, 200, 200)
    assert "Thank you" in accepted.text
    assert story.match(offered["match_id"]).json["state"] == "confirmed"
    assert (story.places()[first], story.places()[alternate]) == (0, 1)
    assert post(story, choose, choose=str(first)).status == 410
    assert post(story, respond, act="accept").status == 410


def test_none_of_them_keeps_the_search_going(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    reply = post(story, path, act="none")

    assert reply.status == 200
    assert story.match(offered["match_id"]).json["state"] == "waiting"


def test_the_client_withdraws_by_link(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    reply = post(story, path, act="withdraw")

    assert reply.status == 200
    assert story.match(offered["match_id"]).json["end_reason"] == "client-choice"


def test_the_peer_says_not_now_by_link(story: Story) -> None:
    peer_id = story.add_peer()
    offered = story.offer(story.refer()).json
    story.choose(offered["id"])
    path = link(story, "respond", offered["match_id"], peer_id).json["path"]

    reply = post(story, path, act="not-now")

    assert reply.status == 200
    assert story.scene.events()[-2][1]["by"] == "peer"


def test_not_me_closes_the_link_and_changes_nothing(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    reply = post(story, path, act="not-me")

    assert reply.status == 200
    assert story.match(offered["match_id"]).json["state"] == "offered"
    assert story.scene.request("GET", path).status == 410


def test_not_me_of_the_client_is_told_once(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    replies = [post(story, path, act="not-me") for _ in range(2)]

    told = [body for name, body in story.scene.events() if name == "match.contact_disowned.v1"]
    assert [reply.status for reply in replies] == [200, 410]
    assert [(body["person"], body["person_id"]) for body in told] == [
        ("client", str(story.client_id))
    ]
    assert told[0]["match_id"] == offered["match_id"]


def test_not_me_of_the_peer_keeps_mail_from_that_address(story: Story) -> None:
    peer_id = story.add_peer(phone="+12025550100")
    offered = story.offer(story.refer()).json
    story.choose(offered["id"])
    path = link(story, "respond", offered["match_id"], peer_id).json["path"]

    post(story, path, act="not-me")

    name, body = story.scene.events()[-1]
    assert (name, body["person"]) == ("match.contact_disowned.v1", "peer")
    assert body["person_id"] == str(peer_id)
    contact = contact_of(story, peer_id)
    assert (contact["email"], contact["reason"]) == (None, "contact-disputed")
    assert contact["phone"] == "+12025550100"


def test_a_peers_session_link_disowned_keeps_mail_from_that_address(story: Story) -> None:
    peer_id, client_id = story.add_peer(), story.client_id

    disown_by_session(story, "client", client_id)
    assert contact_of(story, peer_id)["email"] is not None
    disown_by_session(story, "peer", peer_id)
    assert contact_of(story, peer_id)["email"] is None


@pytest.mark.parametrize(
    ("given", "is_settled"),
    [
        ({"capacity": 3}, False),
        ({"phone": "+12025550101"}, False),
        ({"phone": "+12025550101", "preferred_channel": "phone"}, True),
        ({"email": "right@example.org"}, True),
    ],
)
def test_a_disputed_address_stays_so_until_the_contact_is_given_anew(
    story: Story, given: dict[str, Any], *, is_settled: bool
) -> None:
    peer_id = story.add_peer()
    path = {"peer_id": peer_id}
    unaware = story.scene.call("read_peer", story.coordinator, path=path)
    disown_by_session(story, "peer", peer_id)
    seen = story.scene.call("read_peer", story.coordinator, path=path)

    stale, changed = (
        story.scene.call("change_peer", story.coordinator, given, path=path, if_match=etag)
        for etag in (unaware.etag, seen.etag)
    )

    assert unaware.json["contact_disputed_at"] is None
    assert seen.json["contact_disputed_at"] is not None
    assert (stale.status, changed.status) == (412, 200)
    assert (changed.json["contact_disputed_at"] is None) == is_settled
    assert (contact_of(story, peer_id)["reason"] is None) == is_settled


def test_a_place_taken_meanwhile_is_told_and_the_link_stays_good(story: Story) -> None:
    first = story.add_peer(topics=["grief", "work"])
    alternate = story.add_peer(capacity=1)
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]
    assert story.offer(story.refer(excluded_peer_ids=[first])).status == 201

    taken = post(story, path, choose=str(alternate))
    again = post(story, path, choose=str(first))

    assert taken.status == 409
    assert "taken in the meantime" in taken.text
    assert again.status == 200


def test_an_unreadable_choice_changes_nothing(story: Story) -> None:
    story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]

    replies = [
        post(story, path, choose="x"),
        post(story, path),
        post(story, path, choose=str(uuid4())),
    ]

    assert [reply.status for reply in replies] == [422, 422, 422]
    assert story.match(offered["match_id"]).json["state"] == "offered"


def test_a_link_is_given_only_to_whoever_is_asked_now(story: Story) -> None:
    peer_id = story.add_peer()
    referral_id = story.refer()
    match_id = story.shortlist(referral_id).json["id"]
    assert link(story, "choose", match_id, story.client_id).status == 409
    offered = story.offer(referral_id).json

    assert link(story, "choose", match_id, story.client_id).status == 200
    assert link(story, "choose", match_id, peer_id).status == 409
    assert link(story, "respond", match_id, peer_id).status == 409
    assert link(story, "choose", str(uuid4()), story.client_id).status == 404
    story.choose(offered["id"])
    assert link(story, "choose", match_id, story.client_id).status == 409
    assert link(story, "respond", match_id, peer_id).status == 200


def test_a_link_of_an_offer_that_expired_is_no_longer_good_for_the_next_one(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    offered = story.offer(referral_id).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]
    story.scene.pass_time(days=5)
    story.scene.run_timer("expire_offers")

    assert story.offer(referral_id).status == 201
    assert story.scene.request("GET", path).status == 410


def test_after_choosing_the_client_may_still_change_their_mind_by_link(story: Story) -> None:
    peer_id = story.add_peer()
    offered = story.offer(story.refer()).json
    path = link(story, "choose", offered["match_id"], story.client_id).json["path"]
    done = post(story, path, choose=str(peer_id))
    withdraw = "/l/" + done.text.partition('href="/l/')[2].partition('"')[0]

    shown = story.scene.request("GET", withdraw)
    story.act("accept", offered["match_id"], story.peer(peer_id))
    unread = post(story, withdraw, act="x")
    ended = post(story, withdraw, act="withdraw")

    assert [one.status for one in (shown, unread, ended)] == [200, 422, 200]
    assert story.match(offered["match_id"]).json["end_reason"] == "client-choice"
    assert story.scene.request("GET", withdraw).status == 410


def test_another_peer_is_asked_for_by_link(story: Story) -> None:
    story.add_peer()
    story.add_peer()
    referral_id = story.refer()
    match = story.confirmed(referral_id)
    path = link(story, "withdraw", match["id"], story.client_id).json["path"]

    reply = post(story, path, act="another-peer")

    assert reply.status == 200
    assert "keep looking" in reply.text
    assert story.shortlist(referral_id).json["round"] == 2


def test_the_openapi_document_lists_every_route(story: Story) -> None:
    reply = story.scene.request("GET", "/api/matching/openapi.json")

    assert reply.status == 200, reply.text
    assert "/api/matching/referrals/{referral_id}/offer" in reply.json["paths"]
