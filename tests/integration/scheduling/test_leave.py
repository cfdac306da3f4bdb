"""A peer's time away: asked before anything is cancelled, covered where wished, called off last."""

import re
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis.http.request import Caller
from services.scheduling.domain.leave import Wish
from services.scheduling.pages import wording
from tests.integration.browser import Browser, words_of
from tests.integration.scheduling.region import Pair, Region
from tests.integration.scheduling.test_links import send, show
from tests.support import Reply

TUESDAY, THURSDAY = "2027-01-05T16:00:00Z", "2027-01-07T16:00:00Z"
AFTERWARDS = "2027-01-12T16:00:00Z"
THIS_WEEK = {"first_day": "2027-01-05", "last_day": "2027-01-08"}
FORTNIGHT = {"first_day": "2027-01-05", "last_day": "2027-01-18"}


def plan(region: Region, caller: Caller, peer_id: UUID, **days: Any) -> Reply:
    body = {**THIS_WEEK, **days}
    return region.scene.call("plan_leave", caller, body, path={"person_id": peer_id})


def planned(region: Region, pair: Pair, **days: Any) -> str:
    reply = plan(region, region.peer(pair), pair.peer_id, **days)
    assert reply.status == 201, reply.text
    return str(reply.json["id"])


def read(region: Region, leave_id: str, caller: Caller | None = None) -> Reply:
    path = {"leave_id": leave_id}
    return region.scene.call("show_leave", caller or region.coordinator, path=path)


def answer(region: Region, leave_id: str, pair: Pair, wish: str, by: Caller | None = None) -> Reply:
    body = {"match_id": pair.match_id, "wish": wish}
    etag = None if by else read(region, leave_id).etag
    caller = by or region.coordinator
    path = {"leave_id": leave_id}
    return region.scene.call("answer_leave", caller, body, path=path, if_match=etag)


def withdraw(region: Region, leave_id: str) -> Reply:
    etag = read(region, leave_id).etag
    path = {"leave_id": leave_id}
    return region.scene.call("withdraw_leave", region.coordinator, path=path, if_match=etag)


def told(region: Region, type_: str) -> list[dict[str, Any]]:
    return [data for told, data in region.scene.events() if told == type_]


def state(region: Region, session_id: str) -> tuple[str, str | None]:
    session = region.show(session_id).json
    return session["state"], session["cause"]


def call_off(region: Region) -> None:
    region.scene.run_timer("call_off_uncovered")


def test_only_those_who_lose_a_session_are_asked_about_a_short_time_away(region: Region) -> None:
    pair = region.pair()
    idle = region.pair(peer_id=pair.peer_id)
    booked = [region.booked(pair, TUESDAY), region.booked(pair, THURSDAY)]
    region.booked(pair, AFTERWARDS)

    planned(region, pair)

    assert [(one["match_id"], one["session_ids"]) for one in told(region, "leave.asked.v1")] == [
        (str(pair.match_id), booked)
    ]
    assert str(idle.match_id) not in str(told(region, "leave.asked.v1"))
    assert {state(region, one) for one in booked} == {("booked", None)}


def test_everybody_is_asked_about_a_week_or_more(region: Region) -> None:
    pair = region.pair()
    idle = region.pair(peer_id=pair.peer_id)

    planned(region, pair, **FORTNIGHT)

    asked = {one["match_id"] for one in told(region, "leave.asked.v1")}
    assert asked == {str(pair.match_id), str(idle.match_id)}


def test_whoever_takes_a_pause_is_asked_nothing_until_they_go_on(region: Region) -> None:
    pair = region.pair()
    region.hear_of_referral("referral.paused.v1", pair, until=None)
    assert withdraw(region, planned(region, pair, **FORTNIGHT)).status == 200
    assert told(region, "leave.asked.v1") == []

    region.hear_of_referral("referral.resumed.v1", pair)
    planned(region, pair, **FORTNIGHT)

    assert len(told(region, "leave.asked.v1")) == 1


def test_a_session_that_was_moved_out_of_the_time_away_is_not_given_to_a_colleague(
    region: Region,
) -> None:
    pair, colleague = region.pair(), region.pair()
    session_id = region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)
    assert answer(region, leave_id, pair, "cover").status == 200
    moved = region.act("reschedule", region.coordinator, session_id, {"starts_at": AFTERWARDS})
    assert moved.status == 200, moved.text

    assert cover(region, session_id, colleague.peer_id).status == 409


def test_whoever_waits_has_the_sessions_in_that_time_called_off_and_no_other(
    region: Region,
) -> None:
    pair = region.pair()
    within, after = region.booked(pair, TUESDAY), region.booked(pair, AFTERWARDS)
    leave_id = planned(region, pair)

    reply = answer(region, leave_id, pair, "wait", by=region.client(pair))

    assert reply.status == 200, reply.text
    assert state(region, within) == ("cancelled", "peer-away")
    assert state(region, after) == ("booked", None)
    assert [one["told_by"] for one in told(region, "leave.answered.v1")] == ["client"]


@pytest.mark.parametrize("wish", ["cover", "change"])
def test_nothing_is_cancelled_here_by_another_wish(region: Region, wish: str) -> None:
    pair = region.pair()
    session_id = region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)

    assert answer(region, leave_id, pair, wish).status == 200
    assert state(region, session_id) == ("booked", None)
    assert [one["wish"] for one in told(region, "leave.answered.v1")] == [wish]


def test_what_was_said_can_be_said_otherwise_until_the_peer_is_back(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)
    assert answer(region, leave_id, pair, "cover").status == 200

    assert answer(region, leave_id, pair, "cover").status == 409
    assert answer(region, leave_id, pair, "wait").status == 200
    assert state(region, session_id) == ("cancelled", "peer-away")
    region.scene.pass_time(days=10)
    assert answer(region, leave_id, pair, "change").status == 409


def test_a_session_for_which_there_is_nobody_is_called_off_the_day_before_and_not_earlier(
    region: Region,
) -> None:
    pair = region.pair()
    session_id, after = region.booked(pair, THURSDAY), region.booked(pair, AFTERWARDS)
    planned(region, pair)

    region.scene.pass_time(days=2)
    call_off(region)
    assert state(region, session_id) == ("booked", None)
    region.scene.pass_time(hours=5)
    call_off(region)

    assert state(region, session_id) == ("cancelled", "peer-away")
    region.scene.pass_time(days=5)
    call_off(region)
    assert state(region, after) == ("booked", None)


def test_what_the_peer_books_in_their_own_time_away_is_left_alone(region: Region) -> None:
    pair = region.pair()
    planned(region, pair)
    reply = region.book(region.peer(pair), pair, THURSDAY, outside_availability=True)
    assert reply.status == 201, reply.text

    region.scene.pass_time(days=2, hours=8)
    call_off(region)

    assert state(region, reply.json["id"]) == ("booked", None)


def test_no_time_is_offered_or_booked_while_the_peer_is_away(region: Region) -> None:
    pair = region.pair()
    before = region.times(region.client(pair), pair).json["items"]
    planned(region, pair)

    offered = region.times(region.client(pair), pair).json["items"]

    days = {one["wall_starts_at"][:10] for one in offered}
    assert {one["wall_starts_at"][:10] for one in before} >= {"2027-01-05", "2027-01-08"}
    assert not days & {"2027-01-05", "2027-01-06", "2027-01-07", "2027-01-08"}
    assert "2027-01-11" in days
    assert region.book(region.client(pair), pair, THURSDAY).status == 409


def a_colleague(region: Region) -> Pair:
    return region.pair()


def cover(region: Region, session_id: str, peer_id: UUID) -> Reply:
    return region.act("cover", region.coordinator, session_id, {"peer_id": peer_id})


def test_a_colleague_takes_a_session_for_whoever_wished_it(region: Region) -> None:
    pair, colleague = region.pair(), a_colleague(region)
    session_id = region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)
    assert answer(region, leave_id, pair, "cover").status == 200

    reply = cover(region, session_id, colleague.peer_id)

    assert reply.status == 200, reply.text
    assert (reply.json["peer_id"], reply.json["revision"]) == (str(colleague.peer_id), 1)
    [event] = told(region, "session.covered.v1")
    assert (event["previous_peer_id"], event["peer_id"]) == (
        str(pair.peer_id),
        str(colleague.peer_id),
    )
    taken = {claim["resource_id"] for claim in region.claims() if claim["kind"] == "peer"}
    assert taken == {colleague.peer_id}
    region.scene.pass_time(days=2, hours=8)
    call_off(region)
    assert state(region, session_id) == ("booked", None)
    assert region.show(session_id, region.peer(colleague)).status == 200
    assert region.show(session_id, region.peer(pair)).status == 404
    region.scene.pass_time(hours=22)
    logged = region.log(
        region.peer(colleague), "2027-01-07T16:00:00Z", session_id=session_id, minutes=50
    )
    assert logged.status == 201, logged.text
    assert state(region, session_id) == ("held", None)


def test_nobody_takes_a_session_before_the_person_wished_it(region: Region) -> None:
    pair, colleague = region.pair(), a_colleague(region)
    session_id = region.booked(pair, THURSDAY)
    assert cover(region, session_id, colleague.peer_id).status == 409
    leave_id = planned(region, pair)
    assert cover(region, session_id, colleague.peer_id).status == 409
    assert answer(region, leave_id, pair, "change").status == 200
    assert cover(region, session_id, colleague.peer_id).status == 409


def test_a_session_goes_to_nobody_who_is_busy_away_elsewhere_or_unknown(region: Region) -> None:
    pair, busy, away = region.pair(), a_colleague(region), a_colleague(region)
    session_id = region.booked(pair, THURSDAY)
    region.booked(busy, THURSDAY)
    planned(region, away, **FORTNIGHT)
    leave_id = planned(region, pair)
    assert answer(region, leave_id, pair, "cover").status == 200

    assert cover(region, session_id, busy.peer_id).status == 409
    assert cover(region, session_id, away.peer_id).status == 409
    assert cover(region, session_id, pair.peer_id).status == 422
    assert cover(region, session_id, uuid4()).status == 422
    assert state(region, session_id) == ("booked", None)
    assert told(region, "session.covered.v1") == []


def test_whoever_took_a_session_over_can_be_away_as_well_and_the_person_is_asked_again(
    region: Region,
) -> None:
    pair, colleague, third = region.pair(), a_colleague(region), a_colleague(region)
    session_id = region.booked(pair, THURSDAY)
    first = planned(region, pair)
    assert answer(region, first, pair, "cover").status == 200
    assert cover(region, session_id, colleague.peer_id).status == 200

    second = planned(region, colleague)

    assert [one["peer_id"] for one in told(region, "leave.asked.v1")] == [
        str(pair.peer_id),
        str(colleague.peer_id),
    ]
    assert cover(region, session_id, third.peer_id).status == 409
    assert answer(region, second, pair, "cover").status == 200
    assert cover(region, session_id, third.peer_id).status == 200
    region.scene.pass_time(days=2, hours=8)
    call_off(region)
    assert state(region, session_id) == ("booked", None)


def test_a_time_away_that_is_taken_back_calls_nothing_off_any_more(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)

    assert withdraw(region, leave_id).status == 200

    region.scene.pass_time(days=2, hours=8)
    call_off(region)
    assert state(region, session_id) == ("booked", None)
    assert [one["match_id"] for one in told(region, "leave.question_withdrawn.v1")] == [
        str(pair.match_id)
    ]
    assert withdraw(region, leave_id).status == 409
    assert answer(region, leave_id, pair, "wait").status == 409


def test_days_that_make_no_sense_are_named_and_change_nothing(region: Region) -> None:
    pair = region.pair()
    peer = region.peer(pair)

    backwards = plan(region, peer, pair.peer_id, first_day="2027-01-08", last_day="2027-01-05")
    past = plan(region, peer, pair.peer_id, first_day="2027-01-03")
    endless = plan(region, peer, pair.peer_id, last_day="2029-01-03")

    assert [reply.status for reply in (backwards, past, endless)] == [422, 422, 422]
    assert set(backwards.json["errors"]) == {"last_day"}
    assert set(past.json["errors"]) == {"first_day"}
    assert set(endless.json["errors"]) == {"last_day"}
    planned(region, pair)
    assert plan(region, peer, pair.peer_id, first_day="2027-01-08").status == 409
    assert len(told(region, "leave.planned.v1")) == 1


def test_a_day_begins_and_ends_by_the_peers_clock(region: Region) -> None:
    pair = region.pair()

    leave = read(region, planned(region, pair)).json

    assert (leave["starts_at"], leave["ends_at"]) == (
        "2027-01-05T06:00:00Z",
        "2027-01-09T06:00:00Z",
    )


def test_a_time_away_is_shown_to_the_peer_without_what_their_people_said(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)
    assert answer(region, leave_id, pair, "change").status == 200

    own = read(region, leave_id, region.peer(pair)).json

    assert (own["asked"], own["answered"], own["questions"]) == (1, 1, [])
    assert read(region, leave_id).json["questions"][0]["wish"] == "change"


def test_strangers_and_other_peers_find_nothing(region: Region) -> None:
    pair, other = region.pair(), region.pair()
    region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)

    for caller in (region.stranger, region.peer(other)):
        assert read(region, leave_id, caller).status == 404
        assert plan(region, caller, pair.peer_id).status == 404
    missing = answer(region, str(uuid4()), pair, "wait", by=region.client(pair))
    theirs = answer(region, leave_id, pair, "wait", by=region.client(other))
    assert (missing.status, theirs.status) == (404, 404)


# --- by link


def link(region: Region, pair: Pair, **more: str) -> Reply:
    return region.scene.ask(
        "/links",
        caller="notifications",
        purpose="notification",
        body={"match_id": str(pair.match_id), "person_id": str(pair.client_id), **more},
        orgs=(region.organisation_id, region.clinic_id),
    )


def test_the_person_answers_by_link_and_may_think_again(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, THURSDAY)
    planned(region, pair)
    path = link(region, pair).json["path"]

    page = show(region, path)
    assert "Away from Jan 5, 2027 until Jan 8, 2027." in words_of(page)
    assert "Jan 7, 2027, 10:00" in words_of(page).replace("\u202f", " ")
    said = send(region, path, act="cover")
    assert (said.status, "Meets somebody else meanwhile" in words_of(said)) == (200, True)
    again = send(region, path, act="cover")
    assert again.status == 200
    waits = send(region, path, act="wait")

    assert "Waits until the peer is back" in words_of(waits)
    assert state(region, session_id) == ("cancelled", "peer-away")
    assert len(told(region, "leave.answered.v1")) == 2


def test_the_link_is_gone_once_there_is_nothing_to_answer(region: Region) -> None:
    pair = region.pair()
    assert link(region, pair).status == 409
    region.booked(pair, THURSDAY)
    leave_id = planned(region, pair)
    path = link(region, pair).json["path"]

    assert withdraw(region, leave_id).status == 200

    assert link(region, pair).status == 409
    assert show(region, path).status == 410
    assert send(region, path, act="wait").status == 410


def test_a_link_opened_by_somebody_else_is_closed_and_told(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, THURSDAY)
    planned(region, pair)
    path = link(region, pair, language="es").json["path"]

    said = send(region, path, act="not-me")

    assert "no volveremos a escribir" in words_of(said)
    assert [one["person_id"] for one in told(region, "leave.contact_disowned.v1")] == [
        str(pair.client_id)
    ]
    assert show(region, path).status == 410


# --- on pages


def test_a_peer_plans_and_takes_back_a_time_away_on_their_page(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, THURSDAY)
    browser = Browser(region.scene, region.peer(pair))

    done = browser.send("/scheduling/hours", {"act": "plan", **THIS_WEEK})

    assert done.status == 303, words_of(done)
    page = words_of(browser.get("/scheduling/hours"))
    assert "0 of the 1 people who were asked" in page
    twice = browser.send("/scheduling/hours", {"act": "plan", **THIS_WEEK})
    assert "Some of these days are in another time away already." in words_of(twice)
    back = browser.send("/scheduling/hours", {"act": "withdraw"})
    assert back.status == 303, words_of(back)
    assert "None is planned." in words_of(browser.get("/scheduling/hours"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("9-12", [["09:00", "12:00"]]),
        ("9:30am - 5 pm", [["09:30", "17:00"]]),
        ("8:00\u201312:00, 13.15 to 24:00", [["08:00", "12:00"], ["13:15", "24:00"]]),
        ("12am-12pm", [["00:00", "12:00"]]),
        ("", []),
    ],
)
def test_hours_are_read_as_people_write_them(
    region: Region, typed: str, kept: list[list[str]]
) -> None:
    pair = region.pair()
    browser = Browser(region.scene, region.peer(pair))

    done = browser.send("/scheduling/hours", {"act": "hours", "mon": typed})

    assert done.status == 303, words_of(done)
    path = {"person_id": pair.peer_id}
    weekly = region.scene.call("show_availability", region.peer(pair), path=path).json["weekly"]
    assert [[one["from"], one["to"]] for one in weekly if one["day"] == "mon"] == kept
    assert [one for one in weekly if one["day"] == "tue"] == [
        {"day": "tue", "from": "09:00", "to": "17:00"}
    ]


@pytest.mark.parametrize("typed", ["mornings", "12-9", "9-25", "9-12 13-14"])
def test_hours_that_cannot_be_read_are_named_and_kept_as_typed(region: Region, typed: str) -> None:
    pair = region.pair()
    browser = Browser(region.scene, region.peer(pair))

    page = browser.send("/scheduling/hours", {"act": "hours", "wed": typed})

    assert page.status == 422
    assert f'value="{typed}"' in page.text
    assert 'id="wed-error"' in page.text


def test_a_coordinator_notes_the_wish_and_finds_whoever_is_free(region: Region) -> None:
    pair, colleague, busy = region.pair(), region.pair(), region.pair()
    session_id = region.booked(pair, THURSDAY)
    region.booked(busy, THURSDAY)
    planned(region, pair)
    browser = Browser(region.scene, region.coordinator)
    question_id = region.scene.rows("SELECT id FROM leave_questions")[0]["id"]
    path = f"/scheduling/away/{question_id}"
    assert path in browser.get("/scheduling/away").text
    assert "Has not said yet" in words_of(browser.get(path))

    noted = browser.send(path, {"act": "wish", "wish": "cover"})

    assert noted.status == 303, words_of(noted)
    page = browser.get(path)
    assert f'value="{colleague.peer_id}"' in page.text
    assert f'value="{busy.peer_id}"' not in page.text
    taken = browser.send(
        path,
        {
            "act": "cover",
            "session_id": session_id,
            "peer_id": str(colleague.peer_id),
            "version": str(region.show(session_id).etag).strip('"'),
        },
    )
    assert taken.status == 303, words_of(taken)
    assert region.show(session_id).json["peer_id"] == str(colleague.peer_id)
    assert str(session_id) not in browser.get(path).text


def test_a_long_list_of_those_asked_goes_on_where_the_page_ends(region: Region) -> None:
    pair = region.pair()
    for _ in range(29):
        region.pair(peer_id=pair.peer_id)
    planned(region, pair, **FORTNIGHT)
    browser = Browser(region.scene, region.coordinator)

    def shown(path: str) -> list[str]:
        return re.findall(r'href="(/scheduling/away/[^"]+)"', browser.get(path).text)

    first = shown("/scheduling/away")
    more = re.search(
        r'href="(/scheduling/away\?cursor=[^"]+)"', browser.get("/scheduling/away").text
    )
    assert more
    rest = shown(unescape(more[1]))

    assert (len(first), len(rest)) == (15, 15)
    assert not set(first) & set(rest)


def test_two_coordinators_at_once_do_not_overwrite_each_other(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, THURSDAY)
    planned(region, pair)
    browser = Browser(region.scene, region.coordinator)
    question_id = region.scene.rows("SELECT id FROM leave_questions")[0]["id"]
    path = f"/scheduling/away/{question_id}"
    assert browser.send(path, {"act": "wish", "wish": "cover"}).status == 303

    late = browser.send(path, {"act": "wish", "wish": "wait", "version": "1"})

    assert late.status == 412
    assert "Meets somebody else meanwhile" in words_of(late)


def test_every_wish_has_words() -> None:
    assert set(wording.WISH) == set(wording.SAID) == {str(wish) for wish in Wish}
