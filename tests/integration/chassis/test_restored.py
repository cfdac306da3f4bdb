"""A database that was set back learns what it told since, and what it was told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from marshmallow import Schema, fields

from services.chassis import reconcile, restored
from services.chassis.errors import Forgotten
from services.chassis.events import source_of
from services.chassis.inbox import Position, Standing
from services.chassis.reconcile_loop import Comparison
from services.chassis.service import Service, consumes, recalls
from services.chassis.work import Work
from tests.support import Scene

PARCEL, NOTE = UUID(int=7), UUID(int=8)
QUEUE = "matching.parcel"


@dataclass(frozen=True, kw_only=True)
class NoteTaken:
    type: ClassVar[str] = "note.taken.v1"
    subject: ClassVar[str] = "note_id"
    note_id: UUID
    number: int


@dataclass(frozen=True, kw_only=True)
class NoteLost(NoteTaken):
    type: ClassVar[str] = "note.lost.v1"


class NumberSchema(Schema):
    note_id = fields.UUID(load_default=None)
    number = fields.Integer(required=True)


def hear(event: dict[str, Any], work: Work) -> None:
    work.emit(NoteTaken(note_id=NOTE, number=event["number"]), org=None)


def recall(event: dict[str, Any], work: Work) -> None:
    if event["number"] == 50:
        raise Forgotten("what nobody knows")
    hear(event, work)


class Notes(Service):
    name = "matching"
    publishes: ClassVar = {NoteTaken: NumberSchema, NoteLost: NumberSchema}

    note_sent = consumes("parcel.sent.v1", source="post", schema=NumberSchema, handler=hear)
    note_lost = consumes(
        "parcel.lost.v1", source="post", schema=NumberSchema, handler=hear, overtakes=True
    )
    recall_note = recalls("note.taken.v1", handler=recall)


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    scene = Scene(Notes, database("matching"))
    yield scene
    scene.close()


def told(sequence: int, **changes: Any) -> dict[str, Any]:
    """An event as a journal has it."""
    return {
        "event_id": uuid4(),
        "type": "note.taken.v1",
        "versions": None,
        "aggregate": "note",
        "aggregate_id": NOTE,
        "epoch": 1,
        "sequence": sequence,
        "org_id": None,
        "clinic_org_id": None,
        "traceparent": None,
        "occurred_at": datetime(2026, 5, 1, 10, sequence, tzinfo=UTC),
        "body": json.dumps({"note_id": str(NOTE), "number": sequence}).encode(),
        **changes,
    }


def heard(sequence: int, **changes: Any) -> dict[str, Any]:
    about = {"type": "parcel.sent.v1", "aggregate": "parcel", "aggregate_id": PARCEL}
    return told(sequence, **{**about, **changes})


def take_note(scene: Scene) -> None:
    with scene.work() as work:
        work.emit(NoteTaken(note_id=NOTE, number=0), org=None)


def outbox(scene: Scene) -> list[tuple[int, int]]:
    rows = scene.rows("SELECT epoch, sequence FROM outbox ORDER BY position")
    return [(row["epoch"], row["sequence"]) for row in rows]


def remember(scene: Scene, rows: list[dict[str, Any]], untold: frozenset[UUID]) -> None:
    with scene.work() as work:
        restored.remember(work.connection, rows, untold)


def test_what_lies_beyond_a_streams_last_number_was_forgotten_and_nothing_else(
    scene: Scene,
) -> None:
    take_note(scene)
    take_note(scene)
    rows = [told(1), told(2), told(3), told(1, aggregate_id=uuid4()), told(1, epoch=2)]
    with scene.work() as work:
        assert restored.forgotten(work.connection, rows) == rows[2:]


def test_a_number_that_somebody_knows_is_not_given_out_again(scene: Scene) -> None:
    take_note(scene)
    unsent = told(3)
    remember(scene, [told(2), unsent], frozenset({unsent["event_id"]}))
    take_note(scene)

    assert outbox(scene) == [(1, 1), (1, 3), (1, 4)]
    sent = scene.rows("SELECT sequence FROM outbox_sent")
    assert [row["sequence"] for row in sent] == [2]


def test_numbers_that_only_a_consumer_knows_are_skipped_and_named(scene: Scene) -> None:
    take_note(scene)
    with scene.work() as work:
        heads = [(NOTE, "note", 4), (NOTE, "note", 2), (PARCEL, "note", 1)]
        assert restored.advance(work.connection, heads) == [
            (NOTE, "note", 2, 4),
            (PARCEL, "note", 1, 1),
        ]
        assert restored.advance(work.connection, heads) == []
    take_note(scene)
    assert outbox(scene)[-1] == (1, 5)


def test_what_is_recalled_changes_the_state_and_leads_to_no_event(scene: Scene) -> None:
    rows = [told(1), told(50), told(2, type="note.lost.v1"), told(3)]
    outcomes = [one.is_recalled for one in restored.recall(scene.workplace, rows)]
    assert outcomes == [True, False, False, True]
    assert scene.events() == []


def test_what_was_not_heard_is_heard_in_order_and_once(scene: Scene) -> None:
    rows = [heard(number) for number in (1, 2, 3)]
    handling = scene.handling("parcel.sent.v1")
    assert restored.catch_up(handling, "post", rows[:1]) == {"parcel.sent.v1": 1}
    others = [told(1), heard(1, aggregate="letter")]

    assert restored.catch_up(handling, "post", [*rows, *others]) == {"parcel.sent.v1": 2}

    assert [data["number"] for _, data in scene.events()] == [1, 2, 3]
    assert restored.catch_up(handling, "post", rows) == {}


def test_a_revoking_event_holds_even_if_its_producer_has_forgotten_it(scene: Scene) -> None:
    handling = scene.handling("parcel.sent.v1")
    restored.catch_up(handling, "post", [heard(1), heard(2, epoch=2)])

    late = [heard(2), heard(3, type="parcel.lost.v1")]
    restored.catch_up(handling, "post", late)

    assert [data["number"] for _, data in scene.events()] == [1, 2, 3]
    rows = scene.rows("SELECT epoch, sequence FROM positions")
    assert [(row["epoch"], row["sequence"]) for row in rows] == [(2, 2)]


@pytest.mark.parametrize(
    ("epoch", "sequence", "standing"),
    [
        (1, 9, Standing.PAST),  # heard already
        (1, 10, Standing.NEXT),
        (1, 11, Standing.BEYOND),
        (2, 10, Standing.NEXT),  # the restored producer goes on after what it was told of
        (2, 11, Standing.BEYOND),
        (2, 4, Standing.NEXT),  # a number that nobody could tell it was given before
        (0, 10, Standing.PAST),
    ],
)
def test_an_event_stands_to_a_position_by_epoch_and_number(
    epoch: int, sequence: int, standing: Standing
) -> None:
    from services.chassis import events

    row = heard(sequence, epoch=epoch)
    headers = events.headers_of("post", row)
    assert headers["cloudEvents:source"] == source_of("post", epoch)
    event = events.read(headers, events.CONTENT_TYPE, row["body"])
    assert Position(1, 9).standing(event) is standing


def test_a_producer_tells_all_it_sent_page_by_page_and_each_event_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [told(number) for number in range(1, 6)]
    remember(scene, rows, frozenset({rows[4]["event_id"]}))
    monkeypatch.setattr(reconcile, "_PAGE", 2)
    after, pages = None, []
    while True:
        body = {"aggregates": ["note"], "after": after}
        reply = scene.ask("/events/sent", caller="scheduling", purpose="reconcile", body=body)
        pages.append([one["event_id"] for one in reply.json["events"]])
        if len(pages[-1]) < 2:
            break
        after = pages[-1][-1]

    found = [event_id for page in pages for event_id in page]
    assert sorted(found) == sorted(str(row["event_id"]) for row in rows[:4])
    since = {"aggregates": ["note"], "since": (datetime.now(UTC) + timedelta(1)).isoformat()}
    reply = scene.ask("/events/sent", caller="scheduling", purpose="reconcile", body=since)
    assert reply.json == {"events": []}


def test_events_asked_for_by_their_ids_are_sent_again_in_order(scene: Scene) -> None:
    rows = [told(number) for number in (3, 1, 2)]
    remember(scene, rows, frozenset())
    body = {"event_ids": [str(row["event_id"]) for row in rows] + [str(uuid4())]}
    for count in (3, 0):
        reply = scene.ask(
            "/events/these-again", caller="scheduling", purpose="reconcile", body=body
        )
        assert reply.json == {"sent_again": count}
    assert outbox(scene) == [(1, 1), (1, 2), (1, 3)]


def test_a_sweep_finds_a_last_event_that_no_later_one_shows(scene: Scene) -> None:
    rows = [heard(number) for number in (1, 2)]
    handling = scene.handling("parcel.sent.v1")
    restored.catch_up(handling, "post", rows[:1])
    names = ("event_id", "type", "aggregate_id", "epoch", "sequence")
    sent = [
        {**{name: str(row[name]) for name in names}, "sent_at": row["occurred_at"].isoformat()}
        for row in rows
    ]
    scene.owners.on("post", "/internal/events/sent", {"events": sent})

    [found] = reconcile.sweep(
        scene.workplace,
        scene.owners,  # type: ignore[arg-type]
        QUEUE,
        handling.consumed,
    )

    assert (found.event_id, found.sequence) == (rows[1]["event_id"], 2)


def test_a_lost_last_event_is_asked_for_without_an_operator(scene: Scene) -> None:
    rows = [heard(number) for number in (1, 2)]
    handling = scene.handling("parcel.sent.v1")
    restored.catch_up(handling, "post", rows[:1])
    names = ("event_id", "type", "aggregate_id", "epoch", "sequence")
    sent = [
        {**{name: str(row[name]) for name in names}, "sent_at": row["occurred_at"].isoformat()}
        for row in rows
    ]
    scene.owners.on("post", "/internal/events/sent", {"events": sent})
    scene.owners.on("post", "/internal/events/these-again", {"sent_again": 1})
    queues = {QUEUE: handling.consumed}
    comparison = Comparison(scene.workplace, scene.owners, queues)  # type: ignore[arg-type]

    assert comparison.compare() == 0  # it may only be on its way
    scene.pass_time(minutes=5)
    assert comparison.compare() == 1

    looked_back = [body["since"] for _, path, body in scene.owners.asked if path.endswith("/sent")]
    assert looked_back[-1] <= rows[1]["occurred_at"]  # it stays in sight until it has come

    _, path, question = scene.owners.asked[-1]
    assert path == "/internal/events/these-again"
    assert question == {"event_ids": [str(rows[1]["event_id"])]}
