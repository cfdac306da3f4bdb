"""Events between the running services: in order, once, held at a gap, parked when unreadable."""

import json
import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import amqp
import pytest

from deploy.events_catalogue import queues
from deploy.machine.rabbitmq import SERVER
from deploy.machine.rabbitmq_definitions import VHOST
from deploy.region.story import Story
from services.chassis import events
from tests.acceptance.clients import Matched, Place, confirm
from tests.acceptance.ledgers import deferred_of, wait_until_drained
from tests.acceptance.running import SERVICES, Running, eventually


def booked(story: Story, matched: Matched) -> str:
    first = story.times(matched.match_id)[0]["starts_at"]
    return str(story.book(matched.match_id, first)["id"])


def move(place: Place, story: Story, matched: Matched, session_id: str) -> None:
    """Reschedule to the last of the times that suit both."""
    later = story.times(matched.match_id)[-1]["starts_at"]
    path = f"/api/scheduling/sessions/{session_id}"
    story.api.act(path, "reschedule", by=place.coordinator, body={"starts_at": later}).expect()


def cancel(place: Place, story: Story, session_id: str) -> None:
    path = f"/api/scheduling/sessions/{session_id}"
    story.api.act(path, "cancel", by=place.coordinator, body={}).expect()


def steps_of_session(story: Story, referral_id: str) -> list[str]:
    timeline = story.seen_by_clinic(referral_id)["timeline"]
    return [entry["step"] for entry in timeline if entry["step"].startswith("session")]


def five_steps(story: Story, referral_id: str) -> bool:
    return len(steps_of_session(story, referral_id)) == 5


def test_booked_rescheduled_and_cancelled_arrive_in_order_while_others_interleave(
    system: Running, place: Place
) -> None:
    story = place.story()
    peers = [place.add_peer() for _ in range(4)]
    matches = [confirm(place, story, peer) for peer in peers]

    def live(matched: Matched) -> str:
        session_id = booked(story, matched)
        for _ in range(3):
            move(place, story, matched, session_id)
        cancel(place, story, session_id)
        return session_id

    with ThreadPoolExecutor(len(matches)) as threads:
        sessions = list(threads.map(live, matches))

    for matched, session_id in zip(matches, sessions, strict=True):
        eventually(
            partial(five_steps, story, matched.referral_id),
            "five steps of the session on the timeline",
        )
        told = [step.rpartition("-")[2] for step in steps_of_session(story, matched.referral_id)]
        assert told == ["booked", "rescheduled", "rescheduled", "rescheduled", "cancelled"]
        query = "SELECT sequence FROM outbox_sent WHERE aggregate_id = %s ORDER BY sequence"
        numbers = [row["sequence"] for row in system.rows("scheduling", query, session_id)]
        assert numbers == [1, 2, 3, 4, 5]
        assert deferred_of(system, "referrals", session_id) == []


def test_a_consumer_of_some_types_never_waits_for_the_others(system: Running, place: Place) -> None:
    story = place.story()
    session_id = booked(story, confirm(place, story, place.add_peer()))

    def position() -> Any:
        query = "SELECT sequence FROM positions WHERE consumer = %s AND aggregate_id = %s"
        rows = system.rows("matching", query, "matching.session", session_id)
        return rows[0]["sequence"] if rows else None

    # Matching follows sessions for their outcome; the booking only moves its position on.
    assert eventually(position, "matching passes over the booking") == 1
    assert deferred_of(system, "matching", session_id) == []


@contextmanager
def unbound(system: Running, queue: str, exchange: str, routing_key: str) -> Iterator[None]:
    with system.broker() as channel:
        channel.queue_unbind(queue, exchange, routing_key)
        try:
            yield
        finally:
            channel.queue_bind(queue, exchange, routing_key)


def test_a_gap_holds_its_aggregate_until_the_missing_event_is_sent_again_while_others_flow(
    system: Running, place: Place
) -> None:
    story = place.story()
    matched, other = (confirm(place, story, place.add_peer()) for _ in range(2))
    session_id, other_id = booked(story, matched), booked(story, other)
    wait_until_drained(system)

    with unbound(system, "notifications.session", "scheduling.events", "session.#"):
        move(place, story, matched, session_id)
        query = "SELECT sequence FROM outbox_sent WHERE aggregate_id = %s AND sequence = 2"
        eventually(lambda: system.rows("scheduling", query, session_id), "the event has left")
    move(place, story, matched, session_id)

    held = eventually(
        lambda: deferred_of(system, "notifications", session_id), "the later event is held"
    )
    assert [(row["sequence"], row["state"]) for row in held] == [(3, "waiting")]
    assert "gap" in held[0]["reason"]
    move(place, story, other, other_id)
    about = {"kind": "session-rescheduled", "session_id": other_id}
    story.wait_for_message(other.referral_id, "delivered", to="peer", **about)
    assert deferred_of(system, "notifications", session_id) == held

    done = system.kindred("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr
    eventually(lambda: not deferred_of(system, "notifications", session_id), "nothing is held")
    about = {"kind": "session-rescheduled", "session_id": session_id}
    story.wait_for_message(matched.referral_id, "delivered", to="peer", **about)


def everything_sent(system: Running, referral_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Every event of a referral's story, with its producer."""
    query = """
        SELECT event_id, type, aggregate, aggregate_id, epoch, sequence, org_id, clinic_org_id,
               traceparent, versions, occurred_at, body
          FROM outbox_sent
         WHERE position(convert_to(%s, 'UTF8') in body) > 0
    """
    return [
        (service, row) for service in SERVICES for row in system.rows(service, query, referral_id)
    ]


def effects(system: Running, story: Story, place: Place, matched: Matched) -> dict[str, Any]:
    """All that the story's events have brought about."""
    referral_id = matched.referral_id
    tables = {
        "matching": "SELECT * FROM matches WHERE referral_id = %s",
        "scheduling": "SELECT * FROM sessions WHERE referral_id = %s",
        "notifications": "SELECT * FROM messages WHERE referral_id = %s ORDER BY id",
        "referrals": "SELECT * FROM steps WHERE referral_id = %s ORDER BY id",
    }
    return {
        **{name: system.rows(name, query, referral_id) for name, query in tables.items()},
        "letters": len(place.mailbox.letters(matched.client_email or "")),
        "sent": sorted(row["event_id"] for _, row in everything_sent(system, referral_id)),
    }


def test_every_event_handed_over_five_times_more_has_had_its_one_effect(
    system: Running, place: Place
) -> None:
    story = place.story()
    matched = confirm(place, story, place.add_peer())
    session_id = booked(story, matched)
    for role in ("client", "peer", "clinic"):
        about = {"kind": "session-booked", "session_id": session_id}
        story.wait_for_message(matched.referral_id, "delivered", to=role, **about)
    wait_until_drained(system)
    before = effects(system, story, place, matched)
    copies = everything_sent(system, matched.referral_id) * 5
    random.Random(7).shuffle(copies)

    with system.broker() as channel:
        for producer, row in copies:
            message = amqp.Message(
                bytes(row["body"]),
                content_type="application/json",
                delivery_mode=2,
                message_id=str(row["event_id"]),
                application_headers=events.headers_of(producer, row),
            )
            channel.basic_publish(message, f"{producer}.events", row["type"])
    wait_until_handled(system, place)

    assert len(copies) >= 5 * 10
    assert effects(system, story, place, matched) == before
    assert [deferred_of(system, name, matched.match_id) for name in SERVICES] == [[]] * 4


def wait_until_handled(system: Running, place: Place) -> None:
    """Wait until what was handed over before now is handled: queues are first in, first out."""
    story = place.story()
    other = confirm(place, story, place.add_peer())
    session_id = booked(story, other)
    for role in ("client", "peer", "clinic"):
        about = {"kind": "session-booked", "session_id": session_id}
        story.wait_for_message(other.referral_id, "delivered", to=role, **about)
    story.wait_for_step(other.referral_id, "booked")
    wait_until_drained(system)


def headers(**changes: Any) -> dict[str, Any]:
    """The headers of a first event of a new referral; a change to None leaves one out."""
    plain = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/referrals/epochs/1",
        "type": "referral.submitted.v1",
        "time": "2027-01-01T00:00:00Z",
        "subject": str(uuid4()),
        "sequence": "1",
        **changes,
    }
    return {f"cloudEvents:{name}": value for name, value in plain.items() if value is not None}


# What is wrong with the message, and how it is described to the operator.
MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "no JSON": ({"body": b"{not json"}, "not JSON"),
    "invalid UTF-8": ({"body": b"\xff\xfe{}"}, "not JSON"),
    "a list": ({"body": b"[]"}, "not a JSON object"),
    "another content type": ({"content_type": "application/x-python-serialize"}, "content type"),
    "no attributes": ({"headers": {}}, "specversion"),
    "another CloudEvents version": ({"headers": headers(specversion="0.3")}, "specversion"),
    "no id": ({"headers": headers(id=None)}, "id is missing"),
    "a subject that is no UUID": ({"headers": headers(subject="x")}, "subject is not a UUID"),
    "a sequence below one": ({"headers": headers(sequence="0")}, "sequence"),
    "a time without a zone": ({"headers": headers(time="2027-01-01T00:00:00")}, "time"),
    "missing fields": ({"headers": headers(), "body": b"{}"}, "referral_id"),
    "fields of another type": (
        {"headers": headers(), "body": b'{"referral_id": 7}'},
        "referral_id",
    ),
    "a large body": ({"body": b'{"pad": "' + b"x" * 70_000 + b'"}'}, "larger"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_event_is_parked_with_its_reason_and_seen_by_the_operator(
    system: Running, what: str
) -> None:
    changes, reason = MALFORMED[what]
    body = json.dumps({"what": what}).encode()
    message = {"headers": headers(), "body": body, "content_type": "application/json", **changes}
    parked_before = parked(system, "matching")

    system.publish(
        "referrals.events",
        "referral.submitted.v1",
        message["body"],
        content_type=message["content_type"],
        application_headers=message["headers"],
    )

    fresh = eventually(
        lambda: [row for row in parked(system, "matching") if row not in parked_before],
        "it is parked",
    )
    assert reason in fresh[0]["reason"]


def parked(system: Running, service: str) -> list[dict[str, Any]]:
    query = "SELECT id, consumer, reason FROM deferred WHERE state = 'parked' ORDER BY id"
    return system.rows(service, query)


def test_the_operator_lists_what_is_parked_while_other_events_flow(
    system: Running, place: Place
) -> None:
    system.publish("referrals.events", "referral.submitted.v1", b"{broken")
    eventually(lambda: parked(system, "matching"), "it is parked")
    place.add_peer()
    story = place.story()

    referral = story.submit(place.referral())

    story.shortlist(referral["id"])
    listed = system.kindred("parked", "list")
    assert listed.returncode == 0, listed.stderr
    assert "matching-" in listed.stdout
    assert "the body is not JSON" in listed.stdout


def test_an_event_of_a_version_not_known_here_is_passed_over_and_holds_nobody(
    system: Running, place: Place
) -> None:
    before = parked(system, "matching")
    attributes = headers(type="referral.dreamt.v9")

    system.publish("referrals.events", "referral.dreamt.v9", b"{}", application_headers=attributes)

    query = (
        "SELECT sequence FROM positions WHERE consumer = 'matching.referral' AND aggregate_id = %s"
    )
    subject = attributes["cloudEvents:subject"]
    rows = eventually(lambda: system.rows("matching", query, subject), "its position is known")
    assert rows == [{"sequence": 1}]
    assert parked(system, "matching") == before


def test_what_is_bound_on_the_broker_is_what_the_documents_say(system: Running) -> None:
    documented = {(queue.exchange, queue.name, queue.binding) for queue in queues()}

    rows = rabbitmqctl(system, "list_bindings", "source_name", "destination_name", "routing_key")

    found = {(row["source_name"], row["destination_name"], row["routing_key"]) for row in rows}
    assert {row for row in found if row[0]} == documented


def test_every_queue_is_a_quorum_queue_with_a_single_active_consumer(system: Running) -> None:
    rows = rabbitmqctl(system, "list_queues", "name", "durable", "arguments")

    assert {row["name"] for row in rows} == {queue.name for queue in queues()}
    for row in rows:
        arguments = {name: value for name, _, value in map(tuple, row["arguments"])}
        assert row["durable"]
        assert arguments["x-queue-type"] == "quorum"
        assert arguments["x-single-active-consumer"] is True


def test_a_service_may_write_only_to_its_own_exchange_and_declares_nothing(
    system: Running,
) -> None:
    rows = rabbitmqctl(system, "list_permissions")

    allowed = {row["user"]: row for row in rows}
    for name in SERVICES:
        assert allowed[name]["configure"] == "^$"
        assert allowed[name]["write"] == rf"^{name}\.events$"
        assert allowed[name]["read"].startswith(f"^{name}")
    assert "guest" not in allowed


def rabbitmqctl(system: Running, *command: str) -> list[dict[str, Any]]:
    folder = system.run_folder / "rabbitmq"
    done = subprocess.run(
        [str(SERVER.with_name("rabbitmqctl")), *command, "-p", VHOST, "--formatter", "json"],
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": "kindred@localhost",
            "ERL_EPMD_PORT": str(system.port("epmd", "epmd")),
            "ERL_INETRC": str(folder / "inetrc"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
