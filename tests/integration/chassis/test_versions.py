"""One event in two versions: sent side by side, handled once by whoever knows which of them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from marshmallow import EXCLUDE, Schema, fields

from services.chassis import deferred, events, outbox, relay
from services.chassis.consumer import Handling
from services.chassis.deferred import Delivery
from services.chassis.service import Consumed, Service, consumes
from services.chassis.work import Work
from tests.support import Scene

SUBJECT = UUID(int=7)
QUEUE = "matching.parcel"
BOTH = "v2,v1"


@dataclass(frozen=True, kw_only=True)
class NoteTaken:
    type: ClassVar[str] = "note.taken.v1"
    subject: ClassVar[str] = "note_id"
    note_id: UUID
    text: str


@dataclass(frozen=True, kw_only=True)
class NoteTaken2(NoteTaken):
    type: ClassVar[str] = "note.taken.v2"
    pages: int


class NoteSchema(Schema):
    note_id = fields.UUID(required=True)
    text = fields.String(required=True)


class Note2Schema(NoteSchema):
    pages = fields.Integer(required=True)


class AnySchema(Schema):
    class Meta:
        unknown = EXCLUDE


class Troubled(Exception):
    pass


class Trouble:
    """Whether the newer handler can finish."""

    is_there = False


def note(_: dict[str, Any], work: Work) -> None:
    assert work.received is not None
    received = work.received
    text = f"{received.type} {received.sequence}"
    work.emit(NoteTaken(note_id=received.subject, text=text), org=None)


def note_newer(event: dict[str, Any], work: Work) -> None:
    if Trouble.is_there:
        raise Troubled
    note(event, work)


V1 = consumes("parcel.sent.v1", source="post", schema=AnySchema, handler=note)
V2 = consumes("parcel.sent.v2", source="post", schema=AnySchema, handler=note_newer)
OTHER = consumes("parcel.lost.v1", source="post", schema=AnySchema, handler=note)


class Notes(Service):
    name = "matching"
    publishes: ClassVar = {NoteTaken: NoteSchema, NoteTaken2: Note2Schema}


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    Trouble.is_there = False
    scene = Scene(Notes, database("matching"))
    yield scene
    scene.close()


@pytest.fixture
def knowing(scene: Scene) -> Callable[..., Handling]:
    """The consumer as a release has it that handles these types."""

    def handling(*consumed: Consumed) -> Handling:
        return Handling(scene.workplace, scene.owners, QUEUE, consumed)  # type: ignore[arg-type]

    return handling


def version(
    number: str, sequence: int, *, of: UUID, versions: str | None = BOTH, name: str = "parcel.sent"
) -> Delivery:
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(of),
        "cloudEvents:source": "/post/epochs/1",
        "cloudEvents:type": f"{name}.{number}",
        "cloudEvents:time": "2026-05-01T10:00:00Z",
        "cloudEvents:subject": str(SUBJECT),
        "cloudEvents:sequence": str(sequence),
    }
    more = {"cloudEvents:versions": versions} if versions else {}
    return Delivery(headers=headers | more, content_type="application/json", body=b"{}")


def handled(scene: Scene) -> list[str]:
    return [data["text"] for _, data in scene.events()]


def retry_due(scene: Scene, handling: Handling) -> None:
    with scene.work() as work:
        found = deferred.due(work.connection, [QUEUE], work.now)
    for one in found:
        handling.retry(one)


def reasons(scene: Scene) -> list[str]:
    return [row["reason"] for row in scene.rows("SELECT reason FROM deferred ORDER BY id")]


def test_an_event_emitted_in_two_versions_has_one_id_one_number_and_two_bodies(
    scene: Scene,
) -> None:
    facts: dict[str, Any] = {"note_id": SUBJECT, "text": "a"}

    with scene.work() as work:
        work.emit(NoteTaken2(**facts, pages=3), org=None, older=[NoteTaken(**facts)])
        work.emit(NoteTaken(**facts), org=None)

    query = "SELECT event_id, sequence, type, versions, body FROM outbox ORDER BY position"
    newer, older, single = scene.rows(query)
    assert (newer["type"], older["type"]) == ("note.taken.v2", "note.taken.v1")
    assert newer["event_id"] == older["event_id"] != single["event_id"]
    assert [row["sequence"] for row in (newer, older, single)] == [1, 1, 2]
    assert [row["versions"] for row in (newer, older, single)] == ["v2,v1", "v2,v1", None]
    assert json.loads(bytes(newer["body"]))["pages"] == 3


def test_both_versions_are_sent_in_turn_and_can_both_be_sent_again(scene: Scene) -> None:
    facts: dict[str, Any] = {"note_id": SUBJECT, "text": "a"}
    with scene.work() as work:
        work.emit(NoteTaken2(**facts, pages=3), org=None, older=[NoteTaken(**facts)])

    with scene.work() as work:
        rows = relay.read_batch(work.connection, 10)
        turns = [[row["type"] for row in turn] for turn in relay.turns(rows)]
        relay.settle(work.connection, relay.Answers(confirmed=[*rows]))
        again = outbox.send_again(work.connection, SUBJECT, 1, 1)

    assert turns == [["note.taken.v2"], ["note.taken.v1"]]
    assert again == 2
    headers = relay.message("matching", rows[0]).headers
    assert events.read(headers, "application/json", b"{}").types == (
        "note.taken.v2",
        "note.taken.v1",
    )


def test_what_is_sent_again_goes_out_in_its_newest_version_first(scene: Scene) -> None:
    facts: dict[str, Any] = {"note_id": SUBJECT, "text": "a"}
    with scene.work() as work:
        work.emit(NoteTaken2(**facts, pages=3), org=None, older=[NoteTaken(**facts)])
    with scene.work() as work:
        newer, older = relay.read_batch(work.connection, 10)
        relay.settle(work.connection, relay.Answers(confirmed=[older]))
        relay.settle(work.connection, relay.Answers(confirmed=[newer]))
        outbox.send_again(work.connection, SUBJECT, 1, 1)

        again = relay.read_batch(work.connection, 10)

    assert [row["type"] for row in again] == ["note.taken.v2", "note.taken.v1"]


@pytest.mark.parametrize("order", [("v1", "v2"), ("v2", "v1")])
@pytest.mark.parametrize("together", [True, False])
def test_a_consumer_that_knows_both_versions_handles_whichever_comes_first(
    scene: Scene, knowing: Callable[..., Handling], order: tuple[str, str], together: bool
) -> None:
    one = uuid4()
    deliveries = [version(number, 1, of=one) for number in order]

    for batch in [deliveries] if together else [[one] for one in deliveries]:
        knowing(V1, V2).handle(batch)

    assert handled(scene) == [f"parcel.sent.{order[0]} 1"]


@pytest.mark.parametrize("order", [("v1", "v2"), ("v2", "v1")])
def test_a_consumer_that_knows_the_older_version_is_not_misled_by_the_newer(
    scene: Scene, knowing: Callable[..., Handling], order: tuple[str, str]
) -> None:
    one, two = uuid4(), uuid4()

    for number in order:
        knowing(V1).handle([version(number, 1, of=one)])
    knowing(V1).handle([version(number, 2, of=two) for number in order])

    assert handled(scene) == ["parcel.sent.v1 1", "parcel.sent.v1 2"]
    assert reasons(scene) == []


def test_a_consumer_that_knows_neither_version_passes_the_number_once(
    scene: Scene, knowing: Callable[..., Handling]
) -> None:
    one = uuid4()

    knowing(OTHER).handle([version("v2", 1, of=one), version("v1", 1, of=one)])
    knowing(OTHER).handle([version("v1", 2, of=uuid4(), versions=None, name="parcel.lost")])

    assert handled(scene) == ["parcel.lost.v1 2"]


def test_replicas_of_two_releases_in_turn_handle_each_event_once(
    scene: Scene, knowing: Callable[..., Handling]
) -> None:
    releases = [knowing(V1), knowing(V1, V2)]
    ids = [uuid4() for _ in range(4)]

    for sequence, one in enumerate(ids, 1):
        first, second = releases if sequence % 2 else reversed(releases)
        first.handle([version("v2", sequence, of=one)])
        second.handle([version("v1", sequence, of=one)])

    assert [text.split()[1] for text in handled(scene)] == ["1", "2", "3", "4"]


def test_a_newer_version_that_the_older_does_not_accompany_is_kept_and_then_parked(
    scene: Scene, knowing: Callable[..., Handling]
) -> None:
    knowing(V1).handle([version("v2", 1, of=uuid4(), versions=None)])

    assert reasons(scene) == [deferred.OTHER_VERSION]
    for _ in range(deferred.ATTEMPTS):
        scene.pass_time(minutes=6)
        retry_due(scene, knowing(V1))
    (row,) = scene.rows("SELECT state FROM deferred")
    assert row["state"] == "parked"
    assert handled(scene) == []


def test_what_the_newer_release_set_aside_is_asked_for_and_handled_after_a_rollback(
    scene: Scene, knowing: Callable[..., Handling]
) -> None:
    one = uuid4()
    Trouble.is_there = True
    knowing(V1, V2).handle([version("v2", 1, of=one), version("v1", 1, of=one)])
    knowing(V1, V2).handle([version("v1", 2, of=uuid4(), versions=None)])
    scene.pass_time(minutes=1)

    retry_due(scene, knowing(V1))
    with scene.work() as work:
        later = work.now + timedelta(minutes=1)
        (asked,) = deferred.other_versions(work.connection, [QUEUE], later)
    knowing(V1).handle([version("v2", 1, of=one), version("v1", 1, of=one)])
    for _ in range(2):
        scene.pass_time(minutes=1)
        retry_due(scene, knowing(V1))

    assert (asked["first"], asked["last"]) == (1, 1)
    assert handled(scene) == ["parcel.sent.v1 1", "parcel.sent.v1 2"]
    assert reasons(scene) == []
