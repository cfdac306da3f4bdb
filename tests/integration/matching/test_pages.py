"""The coordinator's pages: who waits, why these peers, and each step to a match."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID, uuid4

import pytest

from services.chassis.roles import SUPERVISOR
from services.matching.domain.ranking import Rule
from services.matching.domain.states import State
from services.matching.pages import today, wording
from services.referrals.pages import wording as of_referrals
from tests import support
from tests.integration.browser import Browser, words_of
from tests.integration.matching.story import Story


@pytest.fixture
def coordinator(story: Story) -> Browser:
    return Browser(story.scene, story.coordinator)


def test_the_waiting_list_shows_the_longest_waiting_first_and_leads_to_each(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer()
    later = story.refer(received_at="2026-11-09T15:00:00Z")
    sooner = story.refer(received_at="2026-11-02T15:00:00Z")
    unsuitable = story.refer(languages=["vi"], received_at="2026-11-05T15:00:00Z")

    page = coordinator.get("/matching/waiting")

    found = re.findall(r'href="/matching/referrals/([\w-]+)"', page.text)
    assert found == [str(sooner), str(unsuitable), str(later)]
    assert "North Clinic" in words_of(page)
    assert "Nov 2, 2026" in words_of(page)
    ready = coordinator.get("/matching/waiting?state=shortlisted")
    assert str(sooner) in ready.text
    assert str(unsuitable) not in ready.text


def test_a_suggested_peer_comes_with_its_reasons_in_words(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana")
    story.add_peer(display_name="Ben", languages=["vi"])
    place = f"/matching/referrals/{story.refer()}"

    page = words_of(coordinator.get(place))

    assert "1. Ana" in page
    assert "Topics in common: 1 of 2" in page
    assert "Topics not in common: 1 of 2" in page
    assert "Ben" not in page
    assert "No language in common: 1" in page


def test_a_peer_who_is_full_by_now_is_not_said_to_have_places(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(capacity=1)
    place = f"/matching/referrals/{story.refer()}"
    assert "Places free: 1 of 1" in words_of(coordinator.get(place))

    story.offer(story.refer())

    page = words_of(coordinator.get(place))
    assert "no place free now" in page
    assert "Places free" not in page


def test_an_offer_a_choice_and_the_peers_yes_are_made_on_the_page(
    story: Story, coordinator: Browser
) -> None:
    peer_id = story.add_peer(display_name="Ana")
    place = f"/matching/referrals/{story.refer()}"

    offered = coordinator.send(place, {"act": "offer", "peer_id": str(peer_id)})
    assert offered.status == 303, words_of(offered)
    assert "The person is choosing" in words_of(coordinator.get(place))
    chosen = coordinator.send(place, {"act": "choose", "peer_id": str(peer_id), "how": "phone"})
    assert chosen.status == 303, words_of(chosen)
    assert "The peer is asked" in words_of(coordinator.get(place))
    accepted = coordinator.send(place, {"act": "accept"})

    assert accepted.status == 303, words_of(accepted)
    assert "Matched" in words_of(coordinator.get(place))
    assert "match.confirmed.v1" in story.types()


def test_another_order_than_the_rankings_asks_for_a_reason_at_its_field(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana", topics=["grief", "work"])
    second = story.add_peer(display_name="Ben", topics=[])
    place = f"/matching/referrals/{story.refer()}"
    form = {"act": "offer", "peer_id": str(second)}

    asked = coordinator.send(place, form)

    assert asked.status == 422
    assert '<a href="#reason">' in asked.text
    assert len(re.findall(r'id="reason"', asked.text)) == 1
    given = coordinator.send(place, {**form, "reason": "They know each other's street."})
    assert given.status == 303, words_of(given)


def test_a_referral_that_is_not_accepted_offers_no_button_and_says_why(
    story: Story, coordinator: Browser
) -> None:
    peer_id = story.add_peer()
    place = f"/matching/referrals/{story.refer(accepted=False)}"

    page = coordinator.get(place)
    form = {"form_token": coordinator.token(place), "act": "offer", "peer_id": str(peer_id)}
    version = story.shortlist(UUID(place.rpartition("/")[2])).etag.strip('"')
    sent = coordinator.post(place, {**form, "version": version})

    assert 'value="offer"' not in page.text
    assert "Accept the referral first" in words_of(page)
    assert sent.status == 409
    assert "Accept the referral first" in words_of(sent)
    assert "match.offered.v1" not in story.types()


def test_the_second_of_two_coordinators_who_offer_is_told_and_changes_nothing(
    story: Story, coordinator: Browser
) -> None:
    peer_id = story.add_peer(capacity=5)
    place = f"/matching/referrals/{story.refer()}"
    form = {**coordinator.form(place, "offer"), "peer_id": str(peer_id)}
    coordinator.post(place, form)

    second = coordinator.post(place, {**form, "once": uuid4().hex})

    assert second.status == 412
    assert "Somebody else changed this in the meantime." in words_of(second)
    assert story.types().count("match.offered.v1") == 1


def test_a_supervisor_reads_and_takes_no_step(story: Story) -> None:
    peer_id = story.add_peer()
    place = f"/matching/referrals/{story.refer()}"
    supervisor = Browser(story.scene, support.caller(SUPERVISOR, story.clinic_id, story.peer_org))

    page = supervisor.get(place)
    sent = supervisor.post(place, {"act": "offer", "peer_id": str(peer_id), "version": "1"})

    assert page.status == 200
    assert 'value="offer"' not in page.text
    assert sent.status == 403


def test_a_strangers_coordinator_finds_nothing(story: Story) -> None:
    story.add_peer()
    referral_id = story.refer()
    stranger = Browser(story.scene, support.coordinator(uuid4()))

    assert stranger.get(f"/matching/referrals/{referral_id}").status == 404
    assert stranger.get(f"/matching/referrals/{uuid4()}").status == 404
    assert str(referral_id) not in stranger.get("/matching/waiting").text


def test_a_clinic_that_matching_has_not_heard_of_yet_hides_nobody(story: Story) -> None:
    story.add_peer()
    story.clinic_id = uuid4()
    referral_id = story.refer()
    coordinator = Browser(story.scene, support.coordinator(story.clinic_id))

    waiting = coordinator.get("/matching/waiting")
    shown = coordinator.get(f"/matching/referrals/{referral_id}")

    assert waiting.status == 200, words_of(waiting)
    assert str(referral_id) in waiting.text
    assert shown.status == 200, words_of(shown)


def test_every_state_and_rule_has_words() -> None:
    assert set(wording.STATE) == set(wording.TAG) == {str(state) for state in State}
    assert set(wording.RULE) == {str(rule) for rule in Rule}


def numbers_of(page: str) -> list[str]:
    return re.findall(r'class="kindred-number">(.*?)</span>', page)


def test_the_first_page_counts_who_waits_too_long_and_who_was_asked(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer()
    now = story.scene.now
    story.refer(received_at=(now - timedelta(days=13)).isoformat())
    long_waiting = story.refer(received_at=(now - timedelta(days=15)).isoformat())
    story.offer(long_waiting)

    page = coordinator.get("/matching/today")

    assert numbers_of(page.text)[:2] == ["1", "1"]
    assert "/notifications/fragments/with-staff" in numbers_of(page.text)[2]
    paths = re.findall(r'href="(/matching/waiting\?[^"]+)"', page.text)
    for path in map(unescape, paths):
        found = re.findall(r'href="/matching/referrals/([\w-]+)"', coordinator.get(path).text)
        assert found == [str(long_waiting)]


def test_the_first_page_counts_nobody_of_other_clinics(story: Story) -> None:
    story.refer(received_at="2020-01-01T00:00:00Z")
    stranger = Browser(story.scene, support.coordinator(uuid4()))

    assert numbers_of(stranger.get("/matching/today").text)[:2] == ["0", "0"]


def test_beyond_five_hundred_the_first_page_counts_no_further(
    story: Story, coordinator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "COUNTED", 1)
    for _ in range(2):
        story.refer(received_at="2020-01-01T00:00:00Z")

    assert "more than 1" in words_of(coordinator.get("/matching/today"))


def test_the_next_page_of_a_narrowed_waiting_list_stays_narrowed(
    story: Story, coordinator: Browser
) -> None:
    old = [story.refer(received_at=f"2020-01-0{day}T00:00:00Z") for day in (1, 2)]
    story.refer(received_at=story.scene.now.isoformat())

    first = coordinator.get("/matching/waiting?state=waiting&longer_than_days=14&limit=1")
    following = re.search(r'href="([^"]+)" rel="next"', first.text)

    assert following
    second = coordinator.get(unescape(following[1]))
    assert str(old[0]) in first.text
    assert re.findall(r'href="/matching/referrals/([\w-]+)"', second.text) == [str(old[1])]


def test_peers_are_listed_with_whom_they_meet_and_nothing_of_what_they_lived_through(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana", topics=["opioids"], capacity=1)
    story.add_peer(display_name="Ben", certified_until="2020-01-01")
    story.confirmed(story.refer())

    page = words_of(coordinator.get("/matching/peers"))

    assert "Ana Peers 1 of 1 Not taking new people" in page
    assert "Ben Peers 0 of 2 Not taking new people" in page
    assert "Has run out" in page
    assert "pioids" not in page
    stranger = Browser(story.scene, support.coordinator(uuid4()))
    assert "Ana" not in words_of(stranger.get("/matching/peers"))


def test_a_peers_name_is_put_into_other_pages_for_staff_of_their_organisation_alone(
    story: Story, coordinator: Browser
) -> None:
    peer_id = story.add_peer(display_name="Ana <b>")
    path = f"/matching/fragments/peers/{peer_id}"
    supervisor = support.caller(SUPERVISOR, story.peer_org)

    assert coordinator.get(path).text == "Ana &lt;b&gt;"
    assert Browser(story.scene, supervisor).get(path).status == 200
    assert Browser(story.scene, support.coordinator(uuid4())).get(path).status == 404


def test_during_a_pause_the_page_says_so_and_offers_no_button(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer()
    referral_id = story.refer()
    story.hear("referral.paused.v1", referral_id, until=None)

    page = coordinator.get(f"/matching/referrals/{referral_id}")

    assert "takes a pause" in words_of(page)
    assert 'value="offer"' not in page.text
    assert "Takes a pause" in words_of(coordinator.get("/matching/waiting"))


def test_a_peer_says_whether_they_take_new_people_and_what_they_would_share(story: Story) -> None:
    peer_id = story.add_peer(topics=["grief", "beekeeping"], capacity=2)
    peer = Browser(story.scene, story.peer(peer_id))
    page = peer.get("/matching/mine")
    assert "beekeeping" in words_of(page)

    form = {**peer.form("/matching/mine"), "state": "paused", "capacity": "3", "modes": "video"}
    shown = {"topic:grief": "", "topic:beekeeping": "", "topic:housing": "match"}
    saved = peer.post("/matching/mine", {**form, **shown})

    assert saved.status == 303, words_of(saved)
    own = story.scene.call("read_peer", story.peer(peer_id), path={"peer_id": peer_id}).json
    assert (own["state"], own["capacity"], own["topics"]) == ("paused", 3, ["housing"])
    listed = words_of(Browser(story.scene, story.coordinator).get("/matching/peers"))
    assert "Not taking new people" in listed
    assert "ousing" not in listed
    assert story.types()[-1] == "peer.updated.v1"


def test_a_peer_decides_of_each_topic_who_is_shown_it(story: Story) -> None:
    peer_id = story.add_peer(topics=["grief", "housing", "trauma"], display_name="Ana")
    peer = Browser(story.scene, story.peer(peer_id))
    form = {**peer.form("/matching/mine"), "state": "active", "capacity": "2", "modes": "video"}
    shown = {
        "topic:grief": "clients",
        "topic:housing": "supervisors",
        "topic:trauma": "match",
        "topic:anxiety": "both",
        "story": "I walk a lot.",
    }

    saved = peer.post("/matching/mine", {**form, **shown})

    assert saved.status == 303, words_of(saved)
    again = peer.get("/matching/mine").text
    assert [again.count(f'value="{choice}" selected') for choice in shown.values()][:4] == [1] * 4
    supervisor = support.caller(SUPERVISOR, story.clinic_id, story.peer_org)
    listed = words_of(Browser(story.scene, supervisor).get("/matching/peers"))
    assert "Shows you: Anxiety, Housing" in listed
    assert "Shows you" not in words_of(
        Browser(story.scene, story.coordinator).get("/matching/peers")
    )
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    offered = story.offer(referral_id).json
    path = {"offer_id": offered["id"]}
    [card] = story.scene.call("read_offer", story.client, path=path).json["peers"]
    assert (card["topics"], card["story"]) == (["anxiety", "grief"], "I walk a lot.")
    for staff in (story.coordinator, story.clinic, supervisor):
        [card] = story.scene.call("read_offer", staff, path=path).json["peers"]
        assert "topics" not in card


def test_whatever_is_not_ticked_is_taken_back(story: Story) -> None:
    peer_id = story.add_peer(topics=["grief"])
    peer = Browser(story.scene, story.peer(peer_id))
    form = {**peer.form("/matching/mine"), "state": "active", "capacity": "2", "modes": "phone"}

    kept = {name: value for name, value in form.items() if not name.startswith("topic:")}
    peer.post("/matching/mine", kept)

    own = story.scene.call("read_peer", story.peer(peer_id), path={"peer_id": peer_id}).json
    assert own["topics"] == []


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"capacity": "many"}, "capacity"),
        ({"capacity": "-1"}, "capacity"),
        ({"state": ""}, "state"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_changes_nothing(
    story: Story, typed: dict[str, str], field: str
) -> None:
    peer_id = story.add_peer()
    peer = Browser(story.scene, story.peer(peer_id))
    form = {**peer.form("/matching/mine"), "state": "paused", "capacity": "2", "modes": "video"}

    refused = peer.post("/matching/mine", {**form, **typed})

    assert refused.status == 422
    assert f'<a href="#{field}">' in refused.text
    own = story.scene.call("read_peer", story.peer(peer_id), path={"peer_id": peer_id}).json
    assert own["state"] == "active"


def test_a_change_that_the_peer_has_not_seen_is_not_overwritten(story: Story) -> None:
    peer_id = story.add_peer()
    peer = Browser(story.scene, story.peer(peer_id))
    form = {**peer.form("/matching/mine"), "state": "active", "capacity": "2", "modes": "video"}
    assert peer.post("/matching/mine", {**form, "once": "a" * 32}).status == 303

    late = peer.post("/matching/mine", {**form, "once": "b" * 32, "capacity": "4"})

    assert late.status == 412
    assert "Somebody else changed this" in words_of(late)


def test_each_topic_has_the_same_words_as_in_a_referral() -> None:
    assert dict(wording.TOPIC) == dict(of_referrals.TOPIC)


def test_a_referrals_offers_and_their_answers_are_put_into_its_page_for_its_staff(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana")
    referral_id = story.refer()
    path = f"/matching/fragments/referrals/{referral_id}"
    assert "Nobody has been offered yet" in words_of(coordinator.get(path))
    story.hear("referral.accepted.v1", referral_id)

    story.confirmed(referral_id)

    assert "Ana · both said yes: Ana" in words_of(coordinator.get(path))
    stranger = Browser(story.scene, support.coordinator(uuid4()))
    of_the_clinic_alone = Browser(story.scene, support.coordinator(story.clinic_id))
    story.hear("referral.withdrawn.v1", referral_id)
    assert "Ana · both said yes: Ana" in words_of(of_the_clinic_alone.get(path))
    missing = f"/matching/fragments/referrals/{uuid4()}"
    assert stranger.get(path).status == coordinator.get(missing).status == 404


def test_a_matchs_page_tells_what_others_did_there_and_whose_no_it_was(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana")
    story.add_peer(display_name="Bo")
    referral_id = story.refer()
    story.hear("referral.accepted.v1", referral_id)
    page = f"/matching/referrals/{referral_id}"
    assert "What was offered" not in words_of(coordinator.get(page))
    first = story.offer(referral_id).json
    story.choose(first["id"])
    story.act("decline", first["match_id"], story.peer(UUID(first["peer_id"])))
    second = story.offer(referral_id).json

    reply = story.act("decline", second["match_id"], story.coordinator, by="client")

    assert reply.status == 200, reply.text
    shown = words_of(coordinator.get(page))
    assert "the peer cannot just now" in shown
    assert "the person would rather have somebody else" in shown


def test_the_cards_show_whom_the_person_may_choose_from_to_their_own_staff_alone(
    story: Story, coordinator: Browser
) -> None:
    story.add_peer(display_name="Ana", languages=["en", "es-MX"])
    referral_id = story.refer()
    cards = f"/matching/fragments/cards/{referral_id}"
    assert "Nothing is offered just now." in words_of(coordinator.get(cards))
    offered = story.offer(referral_id).json

    shown = words_of(coordinator.get(cards))

    assert "Ana Speaks: English, Spanish" in shown
    assert "Ways to meet: in person, by video, by phone" in shown
    stranger = Browser(story.scene, support.coordinator(uuid4()))
    assert stranger.get(cards).status == 404
    story.choose(offered["id"])
    assert "Nothing is offered just now." in words_of(coordinator.get(cards))


def test_why_not_somebody_else_tells_every_rule_in_the_way_and_neither_topic_nor_order(
    story: Story, coordinator: Browser
) -> None:
    first, second = (
        story.add_peer(display_name="Ana"),
        story.add_peer(display_name="Ben", topics=[]),
    )
    neither = story.add_peer(display_name="Cy", languages=["vi"], capacity=0)
    page = f"/matching/referrals/{story.refer()}/why"
    assert "Ana" in words_of(coordinator.get(page))

    told = {
        peer_id: words_of(coordinator.get(f"{page}?peer_id={peer_id}"))
        for peer_id in (first, second, neither)
    }

    for peer_id in (first, second):
        assert "Would suit, as 2 do in all." in told[peer_id]
    assert "No language in common" in told[neither]
    assert "No place free" in told[neither]
    assert not any("Topics in common" in one or "not in common:" in one for one in told.values())


def test_why_not_is_told_of_own_peers_to_the_persons_own_staff_alone(
    story: Story, coordinator: Browser
) -> None:
    story.register_organisation(other := uuid4())
    foreign = story.add_peer(org=other)
    page = f"/matching/referrals/{story.refer()}/why"

    missing = coordinator.get(f"{page}?peer_id={uuid4()}")

    assert coordinator.get(f"{page}?peer_id={foreign}").text == missing.text
    assert missing.status == 404
    stranger = Browser(story.scene, support.coordinator(uuid4(), story.peer_org))
    assert stranger.get(page).status == 404
