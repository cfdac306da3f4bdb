import re
from typing import Any
from uuid import uuid4

from tests.integration.notifications.post import Region
from tests.support import client, clinic, coordinator, peer


def staff(region: Region) -> Any:
    return coordinator(region.clinic_id, region.peer_organisation_id)


def listed(region: Region, who: Any, **query: Any) -> list[dict[str, Any]]:
    reply = region.scene.call("list_messages", who, query=query)
    assert reply.status == 200, reply.text
    items: list[dict[str, Any]] = reply.json["items"]
    return items


def readers(rows: list[dict[str, Any]]) -> set[str]:
    return {row["recipient"]["role"] for row in rows}


def waiting_for_staff(region: Region) -> dict[str, Any]:
    region.client |= {"preferred_channel": "phone", "phone": "+12025550100"}
    region.match_step("offered", "offered")
    region.send()
    (row,) = listed(region, staff(region))
    assert row["state"] == "needs-staff"
    return row


def test_the_ledger_says_what_went_to_whom_and_nothing_it_said(region: Region) -> None:
    region.session_step("booked", hours_ahead=20, revision=0)
    region.send()

    rows = listed(region, staff(region), referral_id=region.referral_id)

    assert readers(rows) == {"client", "peer", "clinic"}
    assert {row["state"] for row in rows} == {"delivered"}
    assert set(rows[0]) == {
        "id", "kind", "recipient", "referral_id", "match_id", "session_id", "channel", "state",
        "reason", "planned_for", "attempts", "repeats", "delivered_at", "resend_of",
    }  # fmt: skip


def test_each_role_reads_its_own_part(region: Region) -> None:
    region.session_step("booked", hours_ahead=20, revision=0)

    region.match_step("confirmed", "confirmed")

    assert readers(listed(region, clinic(region.clinic_id))) == {"client", "clinic"}
    assert readers(listed(region, coordinator(region.peer_organisation_id))) == {"client", "peer"}
    assert readers(listed(region, client(region.clinic_id, person=region.client_id))) == {"client"}
    assert readers(listed(region, peer(person=region.peer_id))) == {"peer"}
    assert listed(region, peer(region.peer_organisation_id, person=uuid4())) == []


def test_of_sessions_a_clinic_reads_only_what_it_was_told(region: Region) -> None:
    desk = clinic(region.clinic_id)
    region.match_step("confirmed", "confirmed")
    region.session_step("booked", hours_ahead=72, revision=0)
    assert {row["kind"] for row in listed(region, desk)} == {"match-confirmed"}
    hidden = next(row for row in region.messages("session-reminder") if row["state"] == "planned")
    path = {"id": hidden["id"]}
    assert region.scene.call("show_message", desk, path=path).status == 404

    region.send()
    about_session = [row for row in listed(region, desk) if row["session_id"]]
    assert [(row["kind"], row["recipient"]["role"]) for row in about_session] == [
        ("session-booked", "clinic")
    ]


def test_a_clinic_that_may_not_hear_of_sessions_reads_of_none(region: Region) -> None:
    region.client["progress_to_clinic"] = False
    region.session_step("booked", hours_ahead=72, revision=0)
    region.send()

    assert listed(region, clinic(region.clinic_id)) == []
    assert readers(listed(region, staff(region))) == {"client", "peer", "clinic"}


def test_a_person_finds_nobody_elses_messages_by_asking_for_them(region: Region) -> None:
    region.session_step("booked", hours_ahead=20, revision=0)
    me = client(region.clinic_id, person=region.client_id)

    assert listed(region, me, person=region.peer_id) == []
    assert len(listed(region, staff(region), person=region.peer_id)) == 1


def test_another_organisations_message_is_missing(region: Region) -> None:
    row = waiting_for_staff(region)
    stranger = coordinator(uuid4())

    assert listed(region, stranger, referral_id=region.referral_id) == []
    for route, body in (
        ("show_message", None),
        ("resend", None),
        ("note_told", {"outcome": "told"}),
    ):
        theirs = region.scene.call(route, stranger, body, path={"id": row["id"]})
        missing = region.scene.call(route, stranger, body, path={"id": uuid4()})
        assert theirs.status == 404
        assert theirs.text == missing.text


def test_the_ledger_pages_by_cursor(region: Region) -> None:
    for _ in range(3):
        region.referral("accepted")

    first = region.scene.call("list_messages", staff(region), query={"limit": 2})
    (link,) = re.findall(r"cursor=([^&>]+)", first.headers["Link"])
    second = region.scene.call("list_messages", staff(region), query={"limit": 2, "cursor": link})

    assert "Link" not in second.headers
    assert len({row["id"] for row in first.json["items"] + second.json["items"]}) == 3


def test_whoever_was_told_by_staff_counts_as_told(region: Region) -> None:
    row = waiting_for_staff(region)
    shown = region.scene.call("show_message", staff(region), path={"id": row["id"]})

    told = region.scene.call(
        "note_told",
        staff(region),
        {"outcome": "told"},
        path={"id": row["id"]},
        if_match=shown.etag,
    )

    assert (told.status, told.json["state"], told.json["channel"]) == (200, "delivered", "phone")
    assert [type_ for type_, _ in region.scene.events()] == [
        "notification.needs_staff.v1",
        "notification.delivered.v1",
    ]


def test_a_person_not_reached_is_written_down_and_told_once(region: Region) -> None:
    row = waiting_for_staff(region)
    version = region.scene.call("show_message", staff(region), path={"id": row["id"]}).etag
    body = {"outcome": "not-reached"}

    replies = [
        region.scene.call("note_told", staff(region), body, path={"id": row["id"]}, if_match=etag)
        for etag in (None, '"99"', version, version)
    ]

    assert [reply.status for reply in replies] == [428, 412, 200, 412]
    assert replies[2].json["state"] == "undeliverable"
    assert region.scene.events()[-1][1]["reason"] == "not-reached"


def test_a_message_can_be_sent_again_as_one_of_its_own(region: Region) -> None:
    region.match_step("offered", "offered")
    region.send()
    (row,) = listed(region, staff(region))

    reply = region.scene.call("resend", staff(region), path={"id": row["id"]})
    region.send()

    assert (reply.status, reply.json["resend_of"]) == (201, row["id"])
    first, second = region.mail.taken
    assert first["Message-ID"] != second["Message-ID"]


def test_a_message_on_its_way_is_not_sent_a_second_time(region: Region) -> None:
    region.match_step("offered", "offered")
    (row,) = listed(region, staff(region))

    reply = region.scene.call("resend", staff(region), path={"id": row["id"]})

    assert reply.status == 409
    assert len(region.messages()) == 1


def test_a_person_chooses_the_language_that_messages_are_written_in(region: Region) -> None:
    me = client(region.clinic_id, person=region.client_id)
    path = {"id": region.client_id}

    put = region.scene.call("put_preferences", me, {"language": "en"}, path=path)
    region.match_step("offered", "offered")
    region.send()

    assert (put.status, put.json["detail"]) == (200, "discreet")
    assert region.mail.taken[0]["Subject"] == "A question for you"


def test_a_place_is_named_to_whoever_asked_for_details(region: Region) -> None:
    me = client(region.clinic_id, person=region.client_id)
    body = {"language": None, "detail": "detailed"}
    region.scene.call("put_preferences", me, body, path={"id": region.client_id})
    region.session_step("booked", hours_ahead=20, revision=0)
    region.session |= {"mode": "in-person", "place": "Room 2"}

    region.send()

    texts = {mail["To"]: mail.as_string() for mail in region.mail.taken}
    assert "En persona: Room 2." in texts["ana@example.org"]
    assert "Room 2" not in texts["bo@example.net"]


def test_a_coordinator_keeps_preferences_of_known_people_only(region: Region) -> None:
    region.referral("submitted", client_id=region.client_id)
    path, body = {"id": region.client_id}, {"language": "en", "detail": "discreet"}

    shown = region.scene.call("show_preferences", staff(region), path=path)
    put = region.scene.call("put_preferences", staff(region), body, path=path, if_match=shown.etag)
    unseen = region.scene.call("put_preferences", staff(region), body, path=path)
    unknown = region.scene.call("show_preferences", staff(region), path={"id": uuid4()})
    stranger = region.scene.call("show_preferences", coordinator(uuid4()), path=path)

    assert (shown.status, put.status, unseen.status) == (200, 200, 428)
    assert unknown.status == stranger.status == 404


def test_nobody_sets_another_persons_preferences(region: Region) -> None:
    region.referral("submitted", client_id=region.client_id)
    other = client(region.clinic_id, person=uuid4())

    reply = region.scene.call(
        "put_preferences", other, {"language": "en"}, path={"id": region.client_id}
    )

    assert reply.status == 404


def test_a_wrong_preference_is_named_by_its_field(region: Region) -> None:
    me = client(region.clinic_id, person=region.client_id)

    reply = region.scene.call(
        "put_preferences", me, {"language": "xx", "volume": 3}, path={"id": region.client_id}
    )

    assert (reply.status, set(reply.json["errors"])) == (422, {"language", "volume"})
