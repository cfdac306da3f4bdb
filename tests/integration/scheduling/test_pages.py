"""A peer's pages: the week, what is still to be said of a session, and the contact log."""

import re
from uuid import uuid4

from services.chassis.roles import Role
from services.scheduling.domain.contacts import Form, Kind, Setting
from services.scheduling.domain.sessions import MODES, Cause, State
from services.scheduling.pages import wording
from tests import support
from tests.integration.browser import Browser, words_of
from tests.integration.scheduling.region import Pair, Region

WEEK, LOG, NEW = "/scheduling/", "/scheduling/contacts", "/scheduling/contacts/new"


def peer_of(region: Region, pair: Pair) -> Browser:
    return Browser(region.scene, region.peer(pair))


def included(text: str) -> list[str]:
    """The parts of referrals' that the gateway is asked to put in."""
    return re.findall(r'include virtual="/referrals/fragments/names/([\w-]+)" stub="away"', text)


def test_the_week_shows_what_is_booked_in_the_peers_own_time(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, "2027-01-05T16:00:00Z")
    region.booked(pair, "2027-01-20T16:00:00Z")

    page = peer_of(region, pair).get(WEEK)

    assert "Jan 5, 2027, 10:00" in words_of(page).replace("\u202f", " ")
    assert "Jan 20" not in words_of(page)
    assert "America/Chicago" in words_of(page)
    assert set(included(page.text)) == {str(pair.referral_id)}


def test_a_peer_sees_nothing_of_another_peers_week(region: Region) -> None:
    pair, other = region.pair(), region.pair()
    session_id = region.booked(pair, "2027-01-05T16:00:00Z")
    region.logged(pair, "2027-01-04T10:00:00Z")
    browser = peer_of(region, other)

    for path in (WEEK, LOG, NEW):
        assert str(pair.referral_id) not in browser.get(path).text
    form = {"form_token": browser.token(WEEK), "act": "outcome", "outcome": "not-held"}
    theirs = browser.post(WEEK, {**form, "session_id": session_id})
    missing = browser.post(WEEK, {**form, "session_id": str(uuid4())})
    assert (theirs.status, missing.status) == (404, 404)
    assert words_of(theirs) == words_of(missing)


def test_a_past_session_asks_how_it_went_until_that_is_said(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, "2027-01-05T16:00:00Z")
    browser = peer_of(region, pair)
    assert "How did it go?" not in words_of(browser.get(WEEK))
    region.scene.pass_time(days=1, hours=10)
    browser.sign_in(region.peer(pair))
    assert "How did it go?" in words_of(browser.get(WEEK))

    said = browser.send(WEEK, {"act": "outcome"})

    assert said.status == 303, words_of(said)
    assert "How did it go?" not in words_of(browser.get(WEEK))
    assert region.show(session_id).json["state"] == "not-held"


def test_a_contact_is_logged_with_three_choices_and_counts_in_the_week(region: Region) -> None:
    pair = region.pair()
    browser = peer_of(region, pair)

    logged = browser.send(NEW, {"match_ids": str(pair.match_id), "setting": "phone"})

    assert (logged.status, logged.headers["Location"]) == (303, LOG), words_of(logged)
    page = browser.get(LOG)
    assert "Conversation · Phone · Minutes: 30 · Units: 2" in words_of(page)
    assert included(page.text) == [str(pair.referral_id)]
    assert "0:30" in words_of(browser.get(WEEK))
    (contact,) = region.scene.call("list_contacts", region.peer(pair)).json["items"]
    assert contact["started_at"] == "2027-01-04T11:30:00Z"


def test_day_and_time_are_those_of_the_peers_own_clock(region: Region) -> None:
    pair = region.pair()
    form = {"setting": "home", "day": "2026-12-30", "time": "14:15", "minutes": "45"}

    assert peer_of(region, pair).send(NEW, form).status == 303

    (contact,) = region.scene.call("list_contacts", region.peer(pair)).json["items"]
    assert contact["started_at"] == "2026-12-30T20:15:00Z"
    assert contact["participants"] == []


def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(region: Region) -> None:
    pair = region.pair()
    browser = peer_of(region, pair)
    typed = {"minutes": "many", "day": "2027-02-01", "setting": "", "people": "x"}

    shown = browser.send(NEW, typed)

    assert shown.status == 422
    assert set(re.findall(r'<li><a href="#([\w.]+)">', shown.text)) == {
        "minutes",
        "setting",
        "people",
    }
    assert 'value="many"' in shown.text
    ahead = browser.send(NEW, {**typed, "minutes": "30", "setting": "phone", "people": ""})
    assert ahead.status == 422
    assert '<a href="#day">' in ahead.text
    assert region.scene.call("list_contacts", region.peer(pair)).json["items"] == []


def test_a_session_that_was_held_is_logged_from_the_week_and_thereby_said(region: Region) -> None:
    pair = region.pair()
    session_id = region.booked(pair, "2027-01-05T16:00:00Z")
    region.scene.pass_time(days=1, hours=6)
    browser = peer_of(region, pair)
    found = re.search(
        r'href="(/scheduling/contacts/new\?[^"]+session_id=[^"]+)"', browser.get(WEEK).text
    )
    assert found
    place = found[1].replace("&amp;", "&")

    assert f'value="{pair.match_id}" checked' in browser.get(place).text
    form = {**browser.form(place), "match_ids": str(pair.match_id), "setting": "video"}
    assert browser.post(NEW, form).status == 303

    assert region.show(session_id).json["state"] == "held"


def test_an_entry_made_by_mistake_is_taken_out_and_counts_no_more(region: Region) -> None:
    pair = region.pair()
    contact_id = region.logged(pair, "2027-01-04T10:00:00Z")
    browser = peer_of(region, pair)
    assert "0:30" in words_of(browser.get(WEEK))

    form = {"form_token": browser.token(LOG), "act": "withdraw"}
    taken_out = browser.post(f"{LOG}/{contact_id}", form)

    assert taken_out.status == 303, words_of(taken_out)
    assert "Nothing is in the log yet." in words_of(browser.get(LOG))
    assert "0:00" in words_of(browser.get(WEEK))


def test_a_long_log_goes_on_from_page_to_page(region: Region) -> None:
    pair = region.pair()
    for minute in range(55):
        region.logged(pair, f"2027-01-04T08:{minute:02}:00Z", minutes=1)
    browser = peer_of(region, pair)

    first = browser.get(LOG)
    older = re.search(r'href="(/scheduling/contacts\?cursor=[^"]+)"', first.text)
    assert older

    assert len(included(first.text)) == 50
    assert len(included(browser.get(older[1]).text)) == 5


def test_a_coordinator_has_no_page_of_a_peers(region: Region) -> None:
    browser = Browser(region.scene, region.coordinator)
    nobody = Browser(region.scene, support.peer(region.organisation_id, person=uuid4()))

    assert [browser.get(path).status for path in (WEEK, LOG, NEW)] == [403, 403, 403]
    assert [nobody.get(path).status for path in (WEEK, LOG, NEW)] == [404, 404, 404]


def test_every_code_has_words() -> None:
    assert set(wording.KIND) == {str(one) for one in Kind}
    assert set(wording.SETTING) == {str(one) for one in Setting}
    assert set(wording.FORM) == {str(one) for one in Form}
    assert set(wording.MODE) == set(MODES)
    assert set(wording.STATE) == set(State)
    assert set(wording.CAUSE) == set(Cause)


def test_a_supervisor_sees_sessions_nobody_spoke_of_and_who_has_not_met_long(
    region: Region,
) -> None:
    pair, quiet = region.pair(), region.pair()
    region.booked(pair, "2027-01-05T16:00:00Z")
    supervisor = Browser(region.scene, region.supervisor)
    assert "All of them are known" in words_of(supervisor.get("/scheduling/supervision"))

    region.scene.pass_time(days=22)
    supervisor.sign_in(region.supervisor)
    region.logged(pair, "2027-01-25T10:00:00Z")
    page = supervisor.get("/scheduling/supervision")

    assert "Jan 5, 2027" in words_of(page)
    named = re.findall(r'include virtual="/matching/fragments/peers/([\w-]+)"', page.text)
    assert named == [str(pair.peer_id), str(quiet.peer_id)]
    assert "Days since they last met: 22" in words_of(page)


def test_a_supervisor_of_other_organisations_sees_none_of_it(region: Region) -> None:
    pair = region.pair()
    region.booked(pair, "2027-01-05T16:00:00Z")
    region.scene.pass_time(days=22)

    stranger = Browser(region.scene, support.caller(Role.SUPERVISOR, uuid4()))
    page = stranger.get("/scheduling/supervision")

    assert str(pair.peer_id) not in page.text
    assert "Everybody has met lately" in words_of(page)


def test_a_referrals_sessions_are_put_into_its_page_for_staff_of_its_organisations_alone(
    region: Region,
) -> None:
    pair = region.pair()
    region.booked(pair, "2027-01-05T16:00:00Z")
    session_id = region.booked(pair, "2027-01-06T16:00:00Z")
    region.act("cancel", region.peer(pair), session_id)
    path = f"/scheduling/fragments/referrals/{pair.referral_id}"

    told = words_of(Browser(region.scene, region.coordinator).get(path))
    stranger = Browser(region.scene, support.coordinator(uuid4()))

    assert "cancelled (by the peer)" in told
    assert told.index("Jan 6, 2027") < told.index("Jan 5, 2027")
    assert "None has been booked." in words_of(stranger.get(path))
