"""Peer organisations and peers over HTTP."""

from typing import Any
from uuid import uuid4

import pytest

from services.chassis.http.request import Caller
from services.chassis.roles import Role
from tests import support
from tests.integration.matching.story import Story
from tests.support import Reply


def test_a_peer_organisation_is_registered_and_put_again_without_effect(story: Story) -> None:
    organisation_id = uuid4()

    first = story.register_organisation(organisation_id)
    second = story.register_organisation(organisation_id)

    assert (first.status, second.status) == (201, 200)
    assert first.etag == second.etag
    registered = [data for name, data in story.scene.events() if name.startswith("peer_org")]
    assert [one["peer_organisation_id"] for one in registered].count(str(organisation_id)) == 1


def test_changing_an_organisation_needs_the_version_seen(story: Story) -> None:
    path = {"peer_organisation_id": story.peer_org}
    body = {"name": "New name", "time_zone": "America/Chicago"}
    etag = story.scene.call("read_peer_organisation", story.operator, path=path).etag

    unseen = story.scene.call("put_peer_organisation", story.operator, body, path=path)
    seen = story.scene.call("put_peer_organisation", story.operator, body, path=path, if_match=etag)

    assert (unseen.status, seen.status) == (428, 200)
    listed = story.scene.call("list_peer_organisations", story.coordinator).json["items"]
    assert [one["name"] for one in listed] == ["New name"]


def test_a_supervisor_registers_only_their_own_organisations(story: Story) -> None:
    supervisor = support.caller(Role.SUPERVISOR, uuid4())
    path = {"peer_organisation_id": uuid4()}
    body = {"name": "Peers", "time_zone": "America/Chicago"}

    assert story.scene.call("put_peer_organisation", supervisor, body, path=path).status == 404


def test_the_organisation_may_be_left_out_by_who_serves_one(story: Story) -> None:
    reply = story.scene.call("add_peer", story.coordinator, story.peer_body())

    assert reply.status == 201, reply.text
    assert reply.json["organisation_id"] == str(story.peer_org)
    assert reply.headers["Location"] == f"/api/matching/peers/{reply.json['id']}"
    assert story.types()[-1] == "peer.registered.v1"


def test_serving_several_organisations_asks_which_one(story: Story) -> None:
    other = uuid4()
    story.register_organisation(other)
    coordinator = support.coordinator(story.peer_org, other)

    reply = story.scene.call("add_peer", coordinator, story.peer_body())

    assert reply.status == 422
    assert "organisation_id" in reply.json["errors"]


def test_another_organisation_answers_like_a_missing_one(story: Story) -> None:
    other = uuid4()
    story.register_organisation(other)

    replies = [
        story.scene.call("add_peer", story.coordinator, story.peer_body(organisation_id=one))
        for one in (other, uuid4())
    ]

    assert [reply.status for reply in replies] == [404, 404]
    assert replies[0].json == replies[1].json


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "Ana@example.org"}, {"email": "ANA@EXAMPLE.ORG"}),
        ({"email": None, "phone": "+1 918 555 0101"}, {"email": None, "phone": "+1-918-555-0101"}),
    ],
)
def test_the_same_contact_in_one_organisation_is_the_same_peer(
    story: Story, first: dict[str, str | None], second: dict[str, str | None]
) -> None:
    story.add_peer(**first)

    reply = story.scene.call("add_peer", story.coordinator, story.peer_body(**second))

    assert reply.status == 409
    assert reply.json["type"].endswith("already-a-peer")
    other = uuid4()
    story.register_organisation(other)
    story.add_peer(org=other, **second)


def test_every_problem_of_a_body_is_named(story: Story) -> None:
    body = story.peer_body(
        email=None,
        postal_code="00000",
        time_zone="America",
        languages=["no language"],
        modes=["telepathy"],
        capacity="many",
        nickname="x",
    )

    reply = story.scene.call("add_peer", story.coordinator, body)

    assert reply.status == 422
    named = {field.partition(".")[0] for field in reply.json["errors"]}
    assert named == {
        "email", "postal_code", "time_zone", "languages", "modes", "capacity", "nickname"
    }  # fmt: skip


def test_only_the_peer_sees_which_topics(story: Story) -> None:
    peer_id = story.add_peer(topics=["grief"])
    path = {"peer_id": peer_id}

    theirs = story.scene.call("read_peer", story.peer(peer_id), path=path)
    staffs = story.scene.call("read_peer", story.coordinator, path=path)
    listed = story.scene.call("list_peers", story.coordinator)

    assert theirs.json["topics"] == ["grief"]
    assert staffs.json["topics_given"] == 1
    assert "grief" not in staffs.text + listed.text


def test_who_is_shown_a_topic_is_the_peers_to_say_and_ends_with_the_topic(story: Story) -> None:
    peer_id = story.add_peer(topics=["grief", "work"])
    path = {"peer_id": peer_id}

    def change(caller: Caller, **facts: Any) -> Reply:
        etag = story.scene.call("read_peer", story.peer(peer_id), path=path).etag
        return story.scene.call("change_peer", caller, facts, path=path, if_match=etag)

    assert change(story.coordinator, topics_for_clients=["grief"]).status == 403
    body = story.peer_body(topics=["grief"], topics_for_supervisors=["grief"])
    assert story.scene.call("add_peer", story.coordinator, body).status == 403
    assert change(story.peer(peer_id), topics_for_clients=["housing"]).status == 422
    assert change(story.peer(peer_id), topics_for_clients=["Grief"]).json["topics_for_clients"] == [
        "grief"
    ]

    taken_back = change(story.coordinator, topics=["work"])

    assert taken_back.status == 200
    own = story.scene.call("read_peer", story.peer(peer_id), path=path).json
    assert (own["topics"], own["topics_for_clients"]) == (["work"], [])


def test_a_peer_changes_their_own_profile_and_nobody_elses(story: Story) -> None:
    peer_id, other_id = story.add_peer(), story.add_peer()

    own = story.scene.call(
        "change_peer", story.peer(peer_id), {"state": "paused"}, path={"peer_id": peer_id}
    )
    other = story.scene.call(
        "change_peer", story.peer(peer_id), {"state": "paused"}, path={"peer_id": other_id}
    )
    vouched = story.scene.call(
        "change_peer", story.peer(peer_id), {"cleared_for_minors": True}, path={"peer_id": peer_id}
    )

    assert (own.status, other.status, vouched.status) == (200, 404, 403)
    name, data = story.scene.events()[-1]
    assert (name, data["state"]) == ("peer.updated.v1", "paused")


def test_a_paused_peer_is_not_shortlisted(story: Story) -> None:
    peer_id = story.add_peer()
    body, path = {"state": "paused"}, {"peer_id": peer_id}
    story.scene.call("change_peer", story.peer(peer_id), body, path=path)

    assert story.shortlist(story.refer()).json["ruled_out"] == {"paused": 1}


def test_staff_change_a_peer_only_in_the_version_they_saw(story: Story) -> None:
    peer_id = story.add_peer()
    path = {"peer_id": peer_id}
    etag = story.scene.call("read_peer", story.coordinator, path=path).etag

    unseen = story.scene.call("change_peer", story.coordinator, {"capacity": 3}, path=path)
    seen = story.scene.call(
        "change_peer", story.coordinator, {"capacity": 3}, path=path, if_match=etag
    )

    assert (unseen.status, seen.status) == (428, 200)
    assert seen.json["capacity"] == 3


def test_a_smaller_capacity_takes_no_place_away_and_gives_out_no_more(story: Story) -> None:
    peer_id = story.add_peer(capacity=3)
    matches = [story.confirmed(story.refer()) for _ in range(2)]
    path = {"peer_id": peer_id}

    reply = story.scene.call("change_peer", story.peer(peer_id), {"capacity": 1}, path=path)

    assert reply.status == 200, reply.text
    assert story.shortlist(story.refer()).json["ruled_out"] == {"capacity": 1}
    for match in matches:
        story.act("end", match["id"], story.client)
    assert story.places()[peer_id] == 0
    limits = story.scene.rows("SELECT places_limit FROM peers")
    assert limits == [{"places_limit": 1}]


def test_peers_are_listed_in_pages(story: Story) -> None:
    known = [str(story.add_peer()) for _ in range(3)]

    first = story.scene.call("list_peers", story.coordinator, query={"limit": 2})
    cursor = first.headers["Link"].partition("cursor=")[2].partition(">")[0]
    second = story.scene.call("list_peers", story.coordinator, query={"limit": 2, "cursor": cursor})

    assert sorted(one["id"] for one in first.json["items"] + second.json["items"]) == sorted(known)
    assert "Link" not in second.headers


def test_many_peers_are_added_at_once_or_none_of_them(story: Story) -> None:
    bodies = [story.peer_body(organisation_id=story.peer_org) for _ in range(2)]
    twice = [*bodies, bodies[0]]

    refused = story.scene.call("add_peers", story.coordinator, {"peers": twice})
    added = story.scene.call("add_peers", story.coordinator, {"peers": bodies})

    assert refused.status == 409
    assert added.status == 201, added.text
    assert [one["email"] for one in added.json["peers"]] == [one["email"] for one in bodies]
    assert story.types().count("peer.registered.v1") == 2
    listed = story.scene.call("list_peers", story.coordinator).json["items"]
    assert len(listed) == 2
