"""The contact log: entered in one request, corrected, summed, and who reads what of it."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis import restored
from services.chassis.http.request import Caller
from tests import support
from tests.integration.scheduling.region import NOW, Pair, Region

# The Monday before, on the peer's clock 09:00 and 10:00.
NINE, TEN = "2026-12-28T15:00:00Z", "2026-12-28T16:00:00Z"


def told(region: Region, contact_id: str) -> list[tuple[str, dict[str, Any]]]:
    events = region.scene.events()
    return [(kind, body) for kind, body in events if body.get("contact_id") == contact_id]


def listed(region: Region, caller: Caller, **query: object) -> list[str]:
    reply = region.scene.call("list_contacts", caller, query=query)
    assert reply.status == 200, reply.text
    return [item["id"] for item in reply.json["items"]]


def quiet_since(region: Region, pair: Pair) -> Any:
    query = "SELECT quiet_since FROM matches WHERE id = %s"
    [row] = region.scene.rows(query, (pair.match_id,))
    return row["quiet_since"]


def show(region: Region, contact_id: str, caller: Caller) -> support.Reply:
    return region.scene.call("show_contact", caller, path={"contact_id": contact_id})


def test_a_contact_nobody_booked_is_entered_in_one_request(region: Region) -> None:
    pair = region.pair()
    reply = region.log(region.peer(pair), NINE, minutes=25, match_ids=[pair.match_id])

    assert reply.status == 201, reply.text
    assert (reply.json["minutes"], reply.json["units"], reply.json["people"]) == (25, 2, 1)
    assert reply.json["wall_started_at"] == "2026-12-28T09:00:00"
    [(kind, body)] = told(region, reply.json["id"])
    assert kind == "contact.logged.v1"
    assert body["referral_id"] == str(pair.referral_id)
    assert (body["minutes"], body["units"], body["people"], body["form"]) == (25, 2, 1, "person")
    assert not {"kind", "setting"} & set(body)


def test_the_event_goes_to_both_organisations_and_is_numbered(region: Region) -> None:
    pair = region.pair()
    contact_id = region.logged(pair, NINE)
    path = {"contact_id": contact_id}
    body = {"kind": "planning", "setting": "video", "minutes": 40, "started_at": NINE}
    region.scene.call("correct_contact", region.peer(pair), body, path=path)
    region.scene.call("withdraw_contact", region.peer(pair), path=path)

    query = """
        SELECT type, sequence, org_id, clinic_org_id
          FROM outbox WHERE aggregate = 'contact' ORDER BY position
    """
    assert [tuple(row.values()) for row in region.scene.rows(query)] == [
        ("contact.logged.v1", 1, region.organisation_id, region.clinic_id),
        ("contact.corrected.v1", 2, region.organisation_id, None),
        ("contact.withdrawn.v1", 3, region.organisation_id, None),
    ]
    assert listed(region, region.peer(pair)) == []


def test_a_group_counts_heads_and_names_those_whom_the_peer_meets(region: Region) -> None:
    first = region.pair()
    second = region.pair(peer_id=first.peer_id)
    together = {"form": "group", "people": 8, "match_ids": [first.match_id, second.match_id]}
    contact_id = region.logged(first, NINE, **together)

    [(_, body)] = told(region, contact_id)
    assert (body["people"], body["form"], body["referral_id"]) == (8, "group", None)
    assert body["match_ids"] == sorted(map(str, (first.match_id, second.match_id)))
    seen = show(region, contact_id, region.client(second)).json["participants"]
    assert [one["client_id"] for one in seen] == [str(second.client_id)]


def test_somebody_on_no_match_counts_too(region: Region) -> None:
    pair = region.pair()
    reply = region.log(region.peer(pair), NINE, kind="practical-help", setting="community")

    assert (reply.status, reply.json["people"], reply.json["participants"]) == (201, 1, [])


def test_logging_a_booked_session_says_that_it_was_held(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, "2027-01-05T15:00:00Z")
    region.scene.pass_time(days=2)
    region.logged(pair, "2027-01-05T15:00:00Z", session_id=session_id, match_ids=[])
    again = region.log(region.peer(pair), "2027-01-05T15:00:00Z", session_id=session_id)

    assert region.show(session_id).json["state"] == "held"
    assert (again.status, again.json["type"].rpartition(":")[2]) == (409, "session-logged")


def test_reaching_out_is_time_spent_but_no_contact(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, "2027-01-05T15:00:00Z")
    region.scene.pass_time(days=2)
    before = quiet_since(region, pair)
    facts = {"kind": "reaching-out", "session_id": session_id, "minutes": 10}
    contact_id = region.logged(pair, "2027-01-05T15:00:00Z", **facts)

    assert told(region, contact_id)[0][1]["people"] == 0
    assert quiet_since(region, pair) == before
    assert region.show(session_id).json["state"] == "booked"


def test_a_relationship_is_quiet_since_its_last_contact_that_still_counts(region: Region) -> None:
    pair = region.pair()
    opened = quiet_since(region, pair)
    region.scene.pass_time(days=3)
    region.logged(pair, "2027-01-05T15:00:00Z")
    later = region.logged(pair, "2027-01-06T15:00:00Z")
    with_both = quiet_since(region, pair)
    region.scene.call("withdraw_contact", region.peer(pair), path={"contact_id": later})

    assert opened == NOW
    assert with_both.isoformat() == "2027-01-06T15:00:00+00:00"
    assert quiet_since(region, pair).isoformat() == "2027-01-05T15:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"started_at": "2027-01-04T13:00:00Z"}, "started_at"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 721}, "minutes"),
        ({"kind": "gossip"}, "kind"),
        ({"setting": "moon"}, "setting"),
        ({"form": "group"}, "people"),
        ({"match_ids": [str(uuid4())]}, "match_ids"),
        ({"session_id": str(uuid4())}, "session_id"),
        ({"note": "words about a person"}, "note"),
    ],
)
def test_what_cannot_be_is_named_by_its_field(
    region: Region, change: dict[str, Any], field: str
) -> None:
    reply = region.log(region.peer(region.pair()), **{"started_at": NINE, **change})

    assert (reply.status, list(reply.json["errors"])) == (422, [field])


def test_nobody_logs_on_a_match_or_session_of_another_peer(region: Region) -> None:
    pair, other = region.pair(), region.pair()
    session_id = region.booked(other, "2027-01-05T15:00:00Z")
    on_match = region.log(region.peer(pair), NINE, match_ids=[other.match_id])
    on_session = region.log(region.peer(pair), NINE, session_id=session_id)
    for_other = region.log(region.peer(pair), NINE, peer_id=other.peer_id)

    assert [reply.status for reply in (on_match, on_session, for_other)] == [422, 422, 404]


def test_a_coordinator_enters_it_for_a_peer_whom_they_name(region: Region) -> None:
    pair = region.pair()
    for_peer = {"peer_id": pair.peer_id, "match_ids": [pair.match_id]}
    named = region.log(region.coordinator, NINE, **for_peer)
    unnamed = region.log(region.coordinator, NINE)
    elsewhere = region.log(region.stranger, NINE, **for_peer)

    assert [reply.status for reply in (named, unnamed, elsewhere)] == [201, 422, 404]
    assert listed(region, region.peer(pair)) == [named.json["id"]]


def test_everybody_reads_their_own_part_of_the_log(region: Region) -> None:
    pair, other = region.pair(), region.pair()
    own, foreign = region.logged(pair, NINE), region.logged(other, TEN)

    assert listed(region, region.peer(pair)) == [own]
    assert listed(region, region.client(pair)) == [own]
    assert listed(region, support.client(person=pair.client_id)) == [own]
    assert listed(region, region.coordinator) == listed(region, region.supervisor)
    assert listed(region, region.supervisor) == [foreign, own]
    assert listed(region, region.supervisor, peer_id=pair.peer_id) == [own]
    assert listed(region, region.supervisor, referral_id=other.referral_id) == [foreign]
    assert listed(region, region.peer(pair), peer_id=other.peer_id) == []
    assert listed(region, region.stranger) == []
    assert region.scene.call("list_contacts", region.clinic).status == 403
    for caller in (region.peer(other), region.client(other), region.stranger):
        assert show(region, own, caller).status == 404


def test_the_log_comes_page_by_page_the_latest_first(region: Region) -> None:
    pair = region.pair()
    ids = [region.logged(pair, moment) for moment in (NINE, TEN, TEN)]
    reply = region.scene.call("list_contacts", region.peer(pair), query={"limit": 2})
    [cursor] = re.findall(r"cursor=([^&>]+)", reply.headers["Link"])
    rest = listed(region, region.peer(pair), limit=2, cursor=cursor)
    seen = [item["id"] for item in reply.json["items"]] + rest

    assert sorted(seen) == sorted(ids)
    assert seen[-1] == ids[0]


def test_a_coordinator_shows_which_version_was_seen(region: Region) -> None:
    pair = region.pair()
    contact_id = region.logged(pair, NINE)
    path = {"contact_id": contact_id}
    etag = show(region, contact_id, region.coordinator).etag
    without = region.scene.call("withdraw_contact", region.coordinator, path=path)
    done = region.scene.call("withdraw_contact", region.coordinator, path=path, if_match=etag)
    again = region.scene.call("withdraw_contact", region.peer(pair), path=path)

    assert [reply.status for reply in (without, done, again)] == [428, 200, 409]


def test_hours_and_units_follow_by_week_and_month(region: Region) -> None:
    pair = region.pair()
    region.logged(pair, NINE, minutes=50)
    region.logged(pair, "2026-12-21T15:00:00Z", minutes=22)
    region.log(region.peer(pair), TEN, form="group", people=5, minutes=90, kind="activity")
    path = {"peer_id": pair.peer_id}

    def hours(caller: Caller, **query: str) -> support.Reply:
        return region.scene.call("show_hours", caller, path=path, query=query)

    weeks = hours(region.peer(pair)).json
    assert weeks["unit"] == {"minutes": 15, "least": 8}
    assert [
        (week["first_day"], week["person"]["units"], week["group"]["minutes"])
        for week in weeks["periods"]
    ] == [("2026-12-28", 3, 90), ("2026-12-21", 1, 0)]
    [month] = hours(region.supervisor, every="month").json["periods"]
    assert (month["first_day"], month["person"]["minutes"]) == ("2026-12-01", 72)
    assert hours(region.stranger).status == 404
    assert hours(region.peer(region.pair())).status == 404
    assert hours(region.peer(pair), to="2030-01-01").status == 422


def test_a_corrected_client_takes_the_log_along(region: Region) -> None:
    pair, right = region.pair(), uuid4()
    contact_id = region.logged(pair, NINE)
    region.hear_of_referral("referral.corrected.v1", pair, client_id=right, needs_changed=False)

    assert listed(region, support.client(region.clinic_id, person=right)) == [contact_id]
    assert listed(region, region.client(pair)) == []


def test_a_restored_log_knows_the_numbers_again(region: Region) -> None:
    pair = region.pair()
    contact_id = region.logged(pair, NINE, minutes=25)
    query = """
        SELECT event_id, type, versions, aggregate, aggregate_id, epoch, sequence, org_id,
               clinic_org_id, traceparent, occurred_at, body
          FROM outbox WHERE aggregate = 'contact'
    """
    rows = region.scene.rows(query)
    forget(region, UUID(contact_id))
    [outcome] = restored.recall(region.scene.workplace, rows)

    assert outcome.is_recalled
    known = show(region, contact_id, region.peer(pair)).json
    assert (known["minutes"], known["people"], known["kind"]) == (25, 1, None)
    assert [one["match_id"] for one in known["participants"]] == [str(pair.match_id)]


def forget(region: Region, contact_id: UUID) -> None:
    with region.scene.work(region.organisation_id) as work:
        for table, column in (("contact_people", "contact_id"), ("contacts", "id")):
            work.connection.execute(f"DELETE FROM {table} WHERE {column} = %s", (contact_id,))  # noqa: S608
