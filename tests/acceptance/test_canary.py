"""What a person typed is found nowhere but in its owner's database and in their own letters."""

import base64
import html
import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.clients import Place, offer
from tests.acceptance.ledgers import wait_until_drained
from tests.acceptance.running import SERVICES, Running, eventually

NAME = "Quibblethörpe"
PHONE = "918-555-0177"
BARE_PHONE = PHONE.replace("-", "")
WISHES = "an ornithopter & a gazpächo"
TOPIC = "kazoo-canary-topic"
GOAL = "Yodelling-canary-goal"
CANARIES = (NAME, PHONE, BARE_PHONE, WISHES, TOPIC, GOAL)
OF_A_STRANGER = "Glockenspiel-canary"
CRASHES = "crash-canary"


def forms_of_text(text: str) -> set[bytes]:
    """How a text may stand in a log: plain, escaped for JSON, HTML or a URL, or in base64."""
    plain = text.encode()
    escaped = {
        json.dumps(text)[1:-1].encode(),
        html.escape(text).encode(),
        quote(text).encode(),
        repr(plain)[2:-1].encode(),
        plain.hex().encode(),
        text.encode("utf-16-le"),
        text.encode("latin-1"),
    }
    return {plain, *escaped, *_base64_forms(plain)}


def _base64_forms(plain: bytes) -> set[bytes]:
    """The text's inner characters in base64, wherever it begins among three bytes."""
    found = set()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        inner = encoded[4 if shift else 0 : -4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def places_with(needles: set[bytes], haystacks: Iterator[tuple[str, bytes]]) -> list[str]:
    pattern = re.compile(b"|".join(re.escape(needle) for needle in sorted(needles)), re.IGNORECASE)
    return [name for name, content in haystacks if pattern.search(content)]


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            try:
                yield str(path), path.read_bytes()
            except FileNotFoundError:
                continue  # the broker moves its segments about


def events(system: Running) -> Iterator[tuple[str, bytes]]:
    for service in SERVICES:
        for table in ("outbox", "outbox_sent"):
            for row in system.rows(service, f"SELECT * FROM {table}"):  # noqa: S608  no value
                yield f"{service}.{table}", repr(row).encode() + bytes(row["body"])


def metrics(system: Running) -> Iterator[tuple[str, bytes]]:
    for name, entry in system.processes().items():
        port = entry["ports"].get("internal")
        if port:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                yield f"metrics of {name}", answer.read()


def outside_of_people(system: Running) -> Iterator[tuple[str, bytes]]:
    """Everything that operators see, backups of queues included."""
    yield from files_below(system.log_folder)
    yield from files_below(system.run_folder / "rabbitmq")
    yield from files_below(system.run_folder / "gateway")
    yield from events(system)
    yield from metrics(system)


@contextmanager
def crashing(system: Running, service: str, table: str, rule: str) -> Iterator[None]:
    """A rule that rows with the canary break: the database's message then holds the whole row."""
    with system.database(service) as connection:
        statement = f"ALTER TABLE {table} ADD CONSTRAINT canary CHECK ({rule}) NOT VALID"
        connection.execute(statement.encode())
        try:
            yield
        finally:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT canary".encode())


def canary(place: Place, **changes: Any) -> dict[str, Any]:
    client = {
        "family_name": NAME,
        "preferred_name": NAME,
        "phone": f"+1 {PHONE}",
        "email": f"{TOPIC}-{place.clinic_id[:8]}@clients.example",
    }
    body = place.referral(client=client, wishes=WISHES, topics=[TOPIC])
    body["treatment_plan"]["goal"] = GOAL
    return {**body, **changes}


@pytest.fixture(scope="module")
def typed(system: Running, new_place: Any) -> Place:
    """Type the canary into everything: accepted, refused, unreadable, crashing, deferred."""
    place: Place = new_place()
    place.add_peer(display_name=f"{NAME} Peer", topics=[TOPIC])
    _type_into_a_story(place)
    _type_into_refusals(system, place)
    _type_into_crashes(system, place)
    _type_into_parked_events(system)
    wait_until_drained(system)
    return place


def _type_into_a_story(place: Place) -> None:
    story = place.story()
    body = canary(place)
    matched = offer(place, story, **{name: body[name] for name in body if name != "client"})
    story.use_link(story.letter(matched.client_email or ""))
    story.submit(body)


def _type_into_refusals(system: Running, place: Place) -> None:
    api, path = place.api, "/api/referrals/referrals"
    wrong = canary(place, urgency=WISHES, **{NAME: GOAL})
    assert api.call("POST", path, by=place.clinic, body=wrong).status == 422
    assert api.call("POST", path, by=place.coordinator, body=canary(place)).status == 403
    assert api.call("POST", path, by=None, body=canary(place)).status == 401
    broken = json.dumps(canary(place)).encode()[:-5]
    assert api.call("POST", path, by=place.clinic, body=broken).status == 400
    large = canary(place, wishes=WISHES * 10_000)
    assert api.call("POST", path, by=place.clinic, body=large).status == 413
    assert api.call("POST", f"/api/referrals/{NAME}", by=place.clinic).status == 404
    assert api.call("GET", f"{path}?{TOPIC}={quote(WISHES)}", by=place.clinic).status == 422
    headers = {"Authorization": f"Bearer {TOPIC}", "Idempotency-Key": TOPIC}
    assert api.call("GET", path, by=None, headers=headers).status == 401


def _type_into_crashes(system: Running, place: Place) -> None:
    path = "/api/referrals/referrals"
    crash = canary(place, external_reference=CRASHES)
    rule = f"external_reference <> '{CRASHES}'"
    with crashing(system, "referrals", "referrals", rule):
        assert place.api.call("POST", path, by=place.clinic, body=crash).status == 500
    with crashing(system, "matching", "needs", f"NOT '{TOPIC}' = ANY (topics)"):
        referral = place.story().submit(canary(place))
        eventually(lambda: _is_deferred(system, referral["id"]), "the event's handler has crashed")


def _is_deferred(system: Running, referral_id: str) -> bool:
    query = "SELECT FROM deferred WHERE aggregate_id = %s AND reason LIKE 'error:%%'"
    return bool(system.rows("matching", query, referral_id))


def _type_into_parked_events(system: Running) -> None:
    """What a stranger put on the broker must not be repeated by our logs either."""
    before = len(_parked(system))
    body = json.dumps({"referral_id": OF_A_STRANGER, "clinic_id": OF_A_STRANGER}).encode()
    attributes = {"cloudEvents:id": OF_A_STRANGER, "cloudEvents:specversion": OF_A_STRANGER}
    system.publish(
        "referrals.events", "referral.submitted.v1", body, application_headers=attributes
    )
    eventually(lambda: len(_parked(system)) > before, "the event is parked")


def _parked(system: Running) -> list[dict[str, Any]]:
    query = "SELECT reason FROM deferred WHERE state = 'parked'"
    return [row for service in SERVICES for row in system.rows(service, query)]


@pytest.mark.parametrize("text", CANARIES)
def test_what_a_person_typed_is_in_no_log_queue_event_metric_or_address(
    system: Running, typed: Place, text: str
) -> None:
    assert places_with(forms_of_text(text), outside_of_people(system)) == []


def test_what_a_stranger_put_on_the_broker_is_in_no_log(system: Running, typed: Place) -> None:
    assert places_with(forms_of_text(OF_A_STRANGER), files_below(system.log_folder)) == []


def test_no_reason_kept_with_a_parked_event_repeats_what_was_in_it(
    system: Running, typed: Place
) -> None:
    reasons = iter([(row["reason"], row["reason"].encode()) for row in _parked(system)])

    needles = set().union(*map(forms_of_text, [*CANARIES, OF_A_STRANGER]))
    assert places_with(needles, reasons) == []


def test_a_links_secret_is_in_no_log_queue_event_or_metric_and_stored_only_as_a_hash(
    system: Running, typed: Place
) -> None:
    letters = [path.read_bytes().decode(errors="replace") for path in typed.mailbox.paths()]
    links = {
        found for text in letters for found in re.findall(r"/l/[a-z]-([A-Za-z0-9_-]{43})", text)
    }
    stored = (
        (f"links of {service}", repr(row).encode())
        for service in SERVICES
        for row in system.rows(service, "SELECT * FROM links")
    )

    needles = {link.encode() for link in links}
    assert needles
    assert places_with(needles, outside_of_people(system)) == []
    assert places_with(needles, stored) == []


def test_the_search_finds_a_canary_in_every_disguise() -> None:
    text = WISHES
    disguised = [
        json.dumps({"wishes": text}).encode(),
        quote(text).encode(),
        html.escape(text).encode(),
        base64.b64encode(f"x{text}y".encode()),
        base64.urlsafe_b64encode(f"xy{text}".encode()),
        repr({"wishes": text.encode()}).encode(),
    ]

    seen = iter([(str(position), content) for position, content in enumerate(disguised)])
    assert len(places_with(forms_of_text(text), seen)) == len(disguised)
