"""What becomes of a delivery: once, in order, set aside, parked, overtaken."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from marshmallow import EXCLUDE, Schema, fields

from services.chassis import deferred, outbox
from services.chassis.consumer import Handling
from services.chassis.deferred import Delivery
from services.chassis.errors import DomainError, OwnerAway
from services.chassis.events import Heard, Received
from services.chassis.service import Service, consumes
from services.chassis.work import Work
from tests.support import Scene

SUBJECT = UUID(int=7)
QUEUE = "matching.parcel"


@dataclass(frozen=True, kw_only=True)
class ParcelNoted:
    type: ClassVar[str] = "note.taken.v1"
    subject: ClassVar[str] = "note_id"
    note_id: UUID
    number: int


class NotedSchema(Schema):
    note_id = fields.UUID(required=True)
    number = fields.Integer(required=True)


class ParcelSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    number = fields.Integer(required=True)


class NotWanted(DomainError):
    slug = "not-wanted"


class Faults:
    """What the handlers below do wrong, by the parcel's number."""

    raising: ClassVar[dict[int, Exception]] = {}


def note(event: dict[str, Any], work: Work) -> None:
    assert work.received is not None
    work.emit(ParcelNoted(note_id=work.received.subject, number=event["number"]), org=None)
    if event["number"] in Faults.raising:
        raise Faults.raising[event["number"]]


def note_together(run: Sequence[Heard], work: Work) -> None:
    for number in [one.data["number"] for one in run]:
        if number in Faults.raising:
            raise Faults.raising[number]
    work.emit(ParcelNoted(note_id=uuid4(), number=len(run)), org=None, cause=run[-1].event)


class Parcels(Service):
    name = "matching"
    publishes: ClassVar = {ParcelNoted: NotedSchema}

    note_sent = consumes("parcel.sent.v1", source="post", schema=ParcelSchema, handler=note)
    note_lost = consumes(
        "parcel.lost.v1", source="post", schema=ParcelSchema, handler=note, overtakes=True
    )
    note_weighed = consumes(
        "parcel.weighed.v1",
        source="post",
        schema=ParcelSchema,
        handler=note_together,
        together=True,
    )


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    Faults.raising = {}
    scene = Scene(Parcels, database("matching"))
    yield scene
    scene.close()


def delivery(sequence: int, **changes: Any) -> Delivery:
    facts: dict[str, Any] = {"type": "parcel.sent.v1", "subject": SUBJECT, "epoch": 1}
    facts |= {"id": uuid4()} | changes
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(facts["id"]),
        "cloudEvents:source": f"/post/epochs/{facts['epoch']}",
        "cloudEvents:type": facts["type"],
        "cloudEvents:time": "2026-05-01T10:00:00Z",
        "cloudEvents:subject": str(facts["subject"]),
        "cloudEvents:sequence": str(sequence),
    }
    body = facts.get("body", json.dumps({"number": sequence}).encode())
    return Delivery(headers=headers, content_type="application/json", body=body)


def handling(scene: Scene) -> Handling:
    return scene.handling("parcel.sent.v1")


def noted(scene: Scene) -> list[int]:
    return [data["number"] for _, data in scene.events()]


def retry_due(scene: Scene) -> None:
    with scene.work() as work:
        overtaking = handling(scene).overtaking
        found = deferred.due(work.connection, [QUEUE], work.now, overtaking)
    for one in found:
        handling(scene).retry(one)


def set_aside(scene: Scene) -> list[tuple[int | None, str]]:
    rows = scene.rows("SELECT sequence, state FROM deferred ORDER BY sequence")
    return [(row["sequence"], row["state"]) for row in rows]


def test_an_event_delivered_five_times_has_one_effect(scene: Scene) -> None:
    one = delivery(1)

    handling(scene).handle([one, one])
    for _ in range(3):
        handling(scene).handle([one])

    assert noted(scene) == [1]


def test_a_batch_is_handled_in_the_order_of_each_aggregate(scene: Scene) -> None:
    other = UUID(int=8)

    handling(scene).handle(
        [delivery(1), delivery(1, subject=other), delivery(2), delivery(2, subject=other)]
    )

    assert noted(scene) == [1, 1, 2, 2]
    rows = scene.rows("SELECT aggregate_id, sequence FROM outbox ORDER BY position")
    assert [row["sequence"] for row in rows] == [1, 1, 2, 2]


def test_a_handler_of_runs_is_called_once_for_the_events_that_follow_each_other(
    scene: Scene,
) -> None:
    weighed = [delivery(1, subject=uuid4(), type="parcel.weighed.v1") for _ in range(5)]
    unread = delivery(1, subject=uuid4(), type="parcel.painted.v1")

    handling(scene).handle([*weighed[:2], unread, weighed[0], weighed[2], delivery(1), *weighed])

    # Three, then the parcel sent, then the rest: duplicates and unread types are in no run.
    assert noted(scene) == [3, 1, 2]


def test_a_run_that_raises_is_handled_one_by_one(scene: Scene) -> None:
    Faults.raising = {2: ValueError("heavy")}
    subject = uuid4()
    weighed = [delivery(number, subject=subject, type="parcel.weighed.v1") for number in (1, 2, 3)]
    other = delivery(1, subject=uuid4(), type="parcel.weighed.v1")

    handling(scene).handle([*weighed, other])

    assert noted(scene) == [1, 1]
    assert set_aside(scene) == [(2, "waiting"), (3, "waiting")]
    Faults.raising = {}
    scene.pass_time(minutes=1)
    retry_due(scene)
    retry_due(scene)
    assert noted(scene) == [1, 1, 1, 1]


def test_a_gap_holds_its_aggregate_until_the_missing_event_comes(scene: Scene) -> None:
    other = UUID(int=8)

    handling(scene).handle([delivery(1), delivery(3), delivery(4), delivery(1, subject=other)])
    retry_due(scene)
    assert noted(scene) == [1, 1]

    handling(scene).handle([delivery(2)])
    for _ in range(2):
        retry_due(scene)

    assert noted(scene) == [1, 1, 2, 3, 4]
    assert set_aside(scene) == []


def test_a_revoking_event_waits_for_an_event_that_never_came(scene: Scene) -> None:
    handling(scene).handle([delivery(1), delivery(3, type="parcel.lost.v1")])

    assert noted(scene) == [1]


def test_an_event_that_raises_lets_its_neighbours_through(scene: Scene) -> None:
    Faults.raising = {2: RuntimeError("a bug")}
    other = UUID(int=8)

    handling(scene).handle([delivery(1), delivery(2), delivery(3), delivery(1, subject=other)])

    assert noted(scene) == [1, 1]
    assert set_aside(scene) == [(2, "waiting"), (3, "waiting")]


def test_a_mended_handler_finishes_what_was_set_aside_in_order(scene: Scene) -> None:
    Faults.raising = {1: OwnerAway("post")}
    handling(scene).handle([delivery(1), delivery(2)])
    Faults.raising = {}

    scene.pass_time(seconds=2)
    for _ in range(2):
        retry_due(scene)

    assert noted(scene) == [1, 2]
    assert set_aside(scene) == []


def test_an_event_set_aside_by_a_clock_that_was_ahead_is_tried_once_the_clock_is_right(
    scene: Scene,
) -> None:
    Faults.raising = {1: OwnerAway("post")}
    scene.pass_time(hours=1)
    handling(scene).handle([delivery(1)])
    Faults.raising = {}
    scene.pass_time(hours=-1)

    retry_due(scene)

    assert noted(scene) == [1]


def test_a_revoking_event_that_comes_late_holds_also_when_its_first_try_fails(
    scene: Scene,
) -> None:
    handling(scene).handle([delivery(1, epoch=2), delivery(2, epoch=2)])
    Faults.raising = {1: RuntimeError("not now")}
    handling(scene).handle([delivery(1, type="parcel.lost.v1", epoch=1)])
    Faults.raising = {}
    scene.pass_time(minutes=1)

    retry_due(scene)

    assert noted(scene) == [1, 2, 1]
    assert set_aside(scene) == []


def test_an_event_is_parked_after_exactly_the_attempts_of_the_policy(scene: Scene) -> None:
    Faults.raising = {1: RuntimeError("a bug")}
    handling(scene).handle([delivery(1)])

    for _ in range(deferred.ATTEMPTS - 1):
        scene.pass_time(minutes=6)
        assert set_aside(scene) == [(1, "waiting")]
        retry_due(scene)

    assert set_aside(scene) == [(1, "parked")]
    assert scene.rows("SELECT attempts, reason FROM deferred") == [
        {"attempts": deferred.ATTEMPTS, "reason": "error: builtins.RuntimeError"}
    ]


def test_an_owner_that_stays_away_never_parks_an_event(scene: Scene) -> None:
    Faults.raising = {1: OwnerAway("post")}
    handling(scene).handle([delivery(1)])

    for _ in range(deferred.ATTEMPTS * 2):
        scene.pass_time(minutes=6)
        retry_due(scene)

    assert set_aside(scene) == [(1, "waiting")]


def test_a_broken_rule_parks_at_once_with_its_slug(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted")}

    handling(scene).handle([delivery(1)])

    assert scene.rows("SELECT state, reason FROM deferred") == [
        {"state": "parked", "reason": "refused: not-wanted"}
    ]


def test_a_revoking_event_overtakes_a_parked_one_and_closes_it(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted")}
    handling(scene).handle([delivery(1), delivery(2)])

    handling(scene).handle([delivery(3, type="parcel.lost.v1")])

    assert noted(scene) == [3]
    assert set_aside(scene) == [(1, "superseded"), (2, "superseded")]


def test_a_replayed_event_is_handled_before_those_behind_it(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted")}
    handling(scene).handle([delivery(1), delivery(2)])
    Faults.raising = {}

    with scene.work() as work:
        (parked,) = deferred.list_parked(work.connection)
        assert deferred.replay(work.connection, parked["id"], by="somebody", now=work.now)
    for _ in range(2):
        retry_due(scene)

    assert noted(scene) == [1, 2]


def test_discarding_a_parked_event_lets_those_behind_it_go_on(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted")}
    handling(scene).handle([delivery(1), delivery(2)])

    with scene.work() as work:
        (parked,) = deferred.list_parked(work.connection)
        assert deferred.discard(work.connection, parked["id"], by="somebody", now=work.now)
    retry_due(scene)

    assert noted(scene) == [2]


def test_an_owner_that_is_away_is_not_waited_for_again_for_every_event_of_a_batch(
    scene: Scene,
) -> None:
    asked: list[int] = []

    def ask(received: Sequence[Received], _: object) -> dict[UUID, Any]:
        asked.append(len(received))
        raise OwnerAway("post")

    consumed = [replace(one, asks=ask) for one in scene.service.queues()[QUEUE]]
    asking = Handling(scene.workplace, handling(scene).directory, QUEUE, consumed)

    asking.handle([delivery(1, subject=UUID(int=number)) for number in range(1, 6)])

    assert asked == [5, 1]
    assert set_aside(scene) == [(1, "waiting")] * 5


def test_a_batch_asks_once_also_for_several_types(scene: Scene) -> None:
    asked: list[int] = []

    def ask(received: Sequence[Received], _: Any) -> dict[UUID, Any]:
        asked.append(len(received))
        return {}

    consumed = [replace(one, asks=ask) for one in scene.service.queues()[QUEUE]]
    queue = Handling(scene.workplace, scene.owners, QUEUE, consumed)  # type: ignore[arg-type]

    queue.handle([delivery(1), delivery(2, type="parcel.lost.v1"), delivery(3)])

    assert asked == [3]


def test_an_event_given_up_before_its_turn_is_skipped_when_its_turn_comes(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted")}
    handling(scene).handle([delivery(1), delivery(2), delivery(3)])
    Faults.raising = {}
    scene.rows("UPDATE deferred SET state = 'parked' WHERE sequence = 2 RETURNING 1")

    with scene.work() as work:
        first, second = deferred.list_parked(work.connection)
        assert deferred.discard(work.connection, second["id"], by="somebody", now=work.now)
        assert deferred.replay(work.connection, first["id"], by="somebody", now=work.now)
    for _ in range(3):
        retry_due(scene)

    assert noted(scene) == [1, 3]
    assert set_aside(scene) == [(2, "discarded")]


def test_a_revoking_event_set_aside_itself_still_overtakes_a_parked_one(scene: Scene) -> None:
    Faults.raising = {1: NotWanted("Not wanted"), 2: RuntimeError("passes")}
    handling(scene).handle([delivery(1), delivery(2, type="parcel.lost.v1")])
    assert set_aside(scene) == [(1, "parked"), (2, "waiting")]
    Faults.raising = {}

    scene.pass_time(seconds=2)
    retry_due(scene)

    assert noted(scene) == [2]
    assert set_aside(scene) == [(1, "superseded")]


def test_an_event_whose_every_attempt_ends_the_process_is_parked(scene: Scene) -> None:
    Faults.raising = {1: RuntimeError("a bug")}
    handling(scene).handle([delivery(1)])

    for _ in range(deferred.ATTEMPTS):
        scene.pass_time(minutes=6)
        with scene.work() as work:  # claimed, and then nothing was heard of it
            (found,) = deferred.due(work.connection, [QUEUE], work.now)
            deferred.claim(work.connection, found, work.now)
    scene.pass_time(minutes=6)
    retry_due(scene)

    assert set_aside(scene) == [(1, "parked")]


def test_an_event_that_ended_its_process_is_tried_after_those_that_did_not(scene: Scene) -> None:
    Faults.raising = {1: RuntimeError("a bug")}
    first, second = UUID(int=8), UUID(int=9)
    handling(scene).handle([delivery(1, subject=first)])
    scene.pass_time(minutes=6)
    with scene.work() as work:  # claimed, and then nothing was heard of it
        (ended,) = deferred.due(work.connection, [QUEUE], work.now)
        deferred.claim(work.connection, ended, work.now)
    handling(scene).handle([delivery(1, subject=second)])
    scene.pass_time(minutes=6)

    with scene.work() as work:
        found = deferred.due(work.connection, [QUEUE], work.now)

    assert len(found) == 2
    assert found[-1] == ended


def test_a_number_too_long_to_read_is_parked(scene: Scene) -> None:
    one = delivery(1)
    headers = {**one.headers, "cloudEvents:sequence": "1" * 5000}

    handling(scene).handle([replace(one, headers=headers), delivery(1)])

    assert noted(scene) == [1]
    assert set_aside(scene) == [(None, "parked")]


def test_a_source_without_an_epoch_path_is_parked(scene: Scene) -> None:
    one = delivery(5)
    headers = {**one.headers, "cloudEvents:source": "7"}

    handling(scene).handle([replace(one, headers=headers)])

    assert set_aside(scene) == [(None, "parked")]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"body": b"{"}, "the body is not JSON"),
        ({"body": b"[]"}, "the body is not a JSON object"),
        ({"body": b"\xff"}, "the body is not JSON"),
        ({"id": "not one"}, "cloudEvents:id is not a UUID"),
        ({"epoch": "x"}, "cloudEvents:source names no epoch"),
        ({"type": "parcel\0sent"}, "cloudEvents:type is not text"),
        ({"type": "parcel\ud800sent"}, "cloudEvents:type is not text"),
    ],
)
def test_what_cannot_be_read_is_parked_with_its_reason_while_others_flow(
    scene: Scene, broken: dict[str, Any], said: str
) -> None:
    handling(scene).handle([delivery(1, **broken), delivery(1)])

    assert noted(scene) == [1]
    (row,) = scene.rows("SELECT state, reason FROM deferred")
    assert row["state"] == "parked"
    assert said in row["reason"]


def test_what_cannot_be_read_is_parked_again_when_it_is_replayed(scene: Scene) -> None:
    handling(scene).handle([delivery(1, body=b"{")])

    with scene.work() as work:
        (parked,) = deferred.list_parked(work.connection)
        assert deferred.replay(work.connection, parked["id"], by="somebody", now=work.now)
    retry_due(scene)

    assert scene.rows("SELECT state, attempts FROM deferred") == [
        {"state": "parked", "attempts": 1}
    ]


def test_a_body_that_breaks_the_schema_is_parked_naming_the_field_and_no_value(
    scene: Scene,
) -> None:
    handling(scene).handle([delivery(1, body=b'{"number": "Zebedee"}')])

    (row,) = scene.rows("SELECT reason FROM deferred WHERE state = 'parked'")
    assert "number" in row["reason"]
    assert "Zebedee" not in row["reason"]


def test_a_restored_producers_repeated_numbers_are_no_duplicates(scene: Scene) -> None:
    handling(scene).handle([delivery(1), delivery(2), delivery(3)])

    handling(scene).handle([delivery(2, epoch=2), delivery(3, epoch=2), delivery(4, epoch=1)])

    assert noted(scene) == [1, 2, 3, 2, 3]


def test_missing_events_are_found_as_a_gap_and_sent_again_under_their_old_ids(
    scene: Scene,
) -> None:
    handling(scene).handle([delivery(1), delivery(4)])
    with scene.work() as work:
        (gap,) = deferred.gaps(work.connection, [QUEUE], work.now.replace(year=2100))
        assert (gap["first"], gap["last"]) == (2, 3)
        work.connection.execute(
            "INSERT INTO outbox_sent SELECT event_id, type, aggregate, aggregate_id, epoch,"
            " sequence, org_id, clinic_org_id, traceparent, occurred_at, body, now() FROM outbox"
        )
        work.connection.execute("DELETE FROM outbox")
        assert outbox.send_again(work.connection, SUBJECT, 1, 9) == 1

    assert noted(scene) == [1]
