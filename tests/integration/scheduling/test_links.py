"""The page behind a session's link, and what other services are told."""

import re
from html import unescape
from uuid import UUID, uuid4

import pytest

from tests.integration.scheduling.region import Pair, Region
from tests.integration.scheduling.test_booking import put_room
from tests.support import Reply

TUESDAY_NINE = "2027-01-05T15:00:00Z"


def ask_link(region: Region, session_id: str, person_id: UUID, **more: str) -> Reply:
    return region.scene.ask(
        "/links",
        caller="notifications",
        purpose="notification",
        body={"session_id": session_id, "person_id": str(person_id), **more},
        orgs=(region.organisation_id, region.clinic_id),
    )


def link(region: Region, session_id: str, person_id: UUID, **more: str) -> str:
    reply = ask_link(region, session_id, person_id, **more)
    assert reply.status == 200, reply.text
    return str(reply.json["path"])


def show(region: Region, path: str, language: str = "en") -> Reply:
    return region.scene.request("GET", path, headers={"accept-language": language})


def send(region: Region, path: str, **form: str) -> Reply:
    return region.scene.request("POST", path, form=form)


def offered(page: Reply) -> list[str]:
    return re.findall(r'<option value="([^"]+)"', unescape(page.text))


@pytest.fixture
def pair(region: Region) -> Pair:
    return region.pair()


def test_showing_the_page_changes_nothing(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    pages = [show(region, path) for _ in range(3)]

    assert path.startswith("/l/s-")
    assert {page.status for page in pages} == {200}
    assert "Tuesday, January 5, 2027, 9:00" in pages[0].text
    assert "Chicago time" in pages[0].text
    assert region.show(session_id).json["revision"] == 0


def test_the_page_speaks_the_mails_language_and_the_readers_time(
    region: Region, pair: Pair
) -> None:
    zone = "Europe/Madrid"
    told = {"client_id": pair.client_id, "clinic_id": region.clinic_id, "time_zone": zone}
    people = {"people": [{name: str(value) for name, value in told.items()}]}
    region.scene.owners.on("referrals", "/internal/people", people)
    region.hear_of_referral(
        "referral.corrected.v1", pair, client_id=pair.client_id, needs_changed=False
    )
    session_id = region.booked(pair, TUESDAY_NINE, room_id=put_room(region), mode="in-person")
    path = link(region, session_id, pair.client_id, language="es")
    page = show(region, path, "en")
    cancelled = send(region, path, act="cancel")

    assert '<html lang="es"' in page.text
    assert '<html lang="es"' in cancelled.text
    assert "martes, 5 de enero de 2027, 16:00" in page.text
    assert "hora de Madrid" in page.text
    assert "Garden room, Tulsa" in page.text


def test_the_reader_cancels_without_a_reason(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    page = send(region, path, act="cancel")

    assert page.status == 200
    assert "The session is cancelled" in page.text
    assert region.show(session_id).json["cause"] == "client"
    assert region.claims() == []
    assert show(region, path).status == 410


def test_the_peers_link_speaks_for_the_peer(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    send(region, link(region, session_id, pair.peer_id), act="cancel")

    assert region.show(session_id).json["cause"] == "peer"


def test_the_reader_chooses_another_of_the_times_shown(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    chosen = offered(show(region, path))[0]
    page = send(region, path, act="move", starts_at=chosen)

    assert page.status == 200
    assert region.show(session_id).json["starts_at"] == chosen.replace("+00:00", "Z")
    assert [kind for kind, _ in region.told(session_id)][-1] == "session.rescheduled.v1"
    assert send(region, path, act="cancel").status == 410
    assert link(region, session_id, pair.client_id) != path


def test_a_time_that_was_taken_meanwhile_leaves_the_others(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    chosen = offered(show(region, path))[0]
    region.booked(region.pair(peer_id=pair.peer_id), chosen)
    page = send(region, path, act="move", starts_at=chosen)

    assert page.status == 409
    assert "no longer free" in page.text
    assert offered(page)
    assert chosen not in offered(page)
    assert region.show(session_id).json["revision"] == 0
    assert len(region.claims()) == 4


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"act": "dance"},
        {"act": "move"},
        {"act": "move", "starts_at": "soon"},
        {"act": "move", "starts_at": "2027-01-05T15:00:00"},
        {"act": "move", "starts_at": "2027-01-01T15:00:00Z"},
        {"act": "move", "starts_at": "9999-12-31T23:59:59-14:00"},
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing(
    region: Region, pair: Pair, form: dict[str, str]
) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)

    assert send(region, path, **form).status == 422
    assert region.show(session_id).json["revision"] == 0
    assert show(region, path).status == 200


def test_a_time_outside_the_hours_is_not_reached_by_a_link(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)

    assert send(region, path, act="move", starts_at="2027-01-09T16:00:00Z").status == 409
    assert send(region, path, act="move", starts_at="2027-01-04T12:30:00Z").status == 409


def test_this_is_not_me_closes_the_link_and_keeps_the_session(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    page = send(region, path, act="not-me")

    assert page.status == 200
    assert show(region, path).status == 410
    assert region.show(session_id).json["state"] == "booked"


@pytest.mark.parametrize("person", ["client", "peer"])
def test_this_is_not_me_is_told_once_with_whose_link_it_was(
    region: Region, pair: Pair, person: str
) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    person_id = getattr(pair, f"{person}_id")
    path = link(region, session_id, person_id)

    pages = [send(region, path, act="not-me") for _ in range(2)]

    assert [page.status for page in pages] == [200, 410]
    (_, (type_, body)) = region.told(session_id)
    assert type_ == "session.contact_disowned.v1"
    assert (body["person"], body["person_id"]) == (person, str(person_id))


def test_a_link_ends_with_what_it_is_about(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)
    path = link(region, session_id, pair.client_id)
    region.act("cancel", region.coordinator, session_id)

    assert show(region, path).status == 410
    assert ask_link(region, session_id, pair.client_id).status == 409


def test_an_unknown_link_is_not_found(region: Region) -> None:
    assert show(region, "/l/s-" + "A" * 43).status == 404
    assert show(region, "/l/s-short").status == 404


def test_a_link_is_made_only_for_whoever_is_on_the_session(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE)

    assert ask_link(region, session_id, uuid4()).status == 404
    assert ask_link(region, str(uuid4()), pair.client_id).status == 404


def test_notifications_are_told_a_session_as_it_stands(region: Region, pair: Pair) -> None:
    session_id = region.booked(pair, TUESDAY_NINE, room_id=put_room(region))

    def ask(*orgs: UUID) -> list[dict[str, object]]:
        ids = {"ids": [session_id, str(uuid4())]}
        reply = region.scene.ask(
            "/sessions", caller="notifications", purpose="notification", body=ids, orgs=orgs
        )
        assert reply.status == 200, reply.text
        return list(reply.json["sessions"])

    expected = {
        "session_id": session_id,
        "state": "booked",
        "starts_at": TUESDAY_NINE,
        "ends_at": "2027-01-05T15:50:00Z",
        "time_zone": "America/Chicago",
        "revision": 0,
        "mode": "video",
        "place": "Garden room, Tulsa",
    }
    assert ask(region.clinic_id) == ask(region.organisation_id) == [expected]
    assert ask(uuid4()) == []


@pytest.mark.parametrize(
    ("caller", "purpose"), [("matching", "notification"), ("notifications", "curiosity")]
)
def test_others_are_told_nothing(region: Region, caller: str, purpose: str) -> None:
    for path in ("/sessions", "/links"):
        assert region.scene.ask(path, caller=caller, purpose=purpose, body={}).status == 403
