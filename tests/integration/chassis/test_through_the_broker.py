"""The relay and the queue loop on a real broker: confirmed before moved, committed before acked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import amqp
import psycopg
import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from services.chassis import broker as broker_connections
from services.chassis import relay as relay_module
from services.chassis.pulse import Pulse
from services.chassis.queue_loop import QueueLoop
from services.chassis.relay import Answers, Confirms, Relay, turns
from tests.integration.chassis.test_consumer import ParcelNoted, Parcels, delivery
from tests.support import Scene, wait_for

OWN = "matching.note"
FOLLOWED = "matching.parcel"
QUORUM = {"x-queue-type": "quorum", "x-single-active-consumer": True}


@pytest.fixture
def scene(database: Any, broker: str) -> Iterator[Scene]:
    scene = Scene(Parcels, database("matching"))
    scene.settings = replace(scene.settings, broker=broker)
    scene.workplace.settings = scene.settings
    (scene.folder / "topology.json").write_text('{"followed": {"matching": ["note"]}}')
    with Connection(broker) as connection:
        for exchange, queue, key in (
            ("matching.events", OWN, "note.#"),
            ("post.events", FOLLOWED, "parcel.#"),
        ):
            source = Exchange(exchange, type="topic", durable=True)
            bound = Queue(queue, source, routing_key=key, queue_arguments=QUORUM)(connection)
            bound.declare()
            # Emptied and kept: a quorum queue declared again under the name of one just deleted
            # may meet what is left of it.
            bound.purge()
    yield scene
    scene.close()


def emit(scene: Scene, note_id: UUID, *numbers: int) -> None:
    with scene.work() as work:
        for number in numbers:
            work.emit(ParcelNoted(note_id=note_id, number=number), org=None)


class Running:
    """A loop in a thread; told to stop at the end, and asked what it raised."""

    def __init__(self, loop: Any) -> None:
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(loop,))

    def _run(self, loop: Any) -> None:
        try:
            loop.run(self.stop.is_set)
        except Exception as error:  # noqa: BLE001
            self.error = error

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


def taken_from(broker: str, queue: str, count: int) -> list[Any]:
    with Connection(broker) as connection:
        channel = connection.channel()
        found: list[Any] = []

        channel.basic_consume(queue, callback=found.append, no_ack=True)

        def all_came() -> bool:
            with suppress(TimeoutError):
                connection.drain_events(timeout=0.1)
            return len(found) >= count

        wait_for(all_came)
        return found


def sent(scene: Scene) -> int:
    return int(scene.rows("SELECT count(*) FROM outbox_sent")[0]["count"])


def test_the_relay_publishes_in_order_and_keeps_what_it_sent(scene: Scene, broker: str) -> None:
    one, other = uuid4(), uuid4()
    emit(scene, one, 1, 2, 3)
    emit(scene, other, 1)

    with Running(Relay("matching", scene.settings)):
        wait_for(lambda: sent(scene) == 4)

    messages = taken_from(broker, OWN, 4)
    of_one = [m for m in messages if m.headers["cloudEvents:subject"] == str(one)]
    assert [json.loads(m.body)["number"] for m in of_one] == [1, 2, 3]
    assert [m.headers["cloudEvents:sequence"] for m in of_one] == ["1", "2", "3"]
    assert scene.rows("SELECT * FROM outbox") == []
    assert all(m.properties["delivery_mode"] == 2 for m in messages)
    assert all(m.properties["message_id"] == m.headers["cloudEvents:id"] for m in messages)


def test_the_relay_publishes_in_order_however_small_its_readings_are(
    scene: Scene, broker: str
) -> None:
    aggregates = [uuid4() for _ in range(4)]
    for number in range(1, 6):
        for aggregate in aggregates:
            emit(scene, aggregate, number)

    with Running(Relay("matching", replace(scene.settings, relay_batch=3))):
        wait_for(lambda: sent(scene) == 20)

    messages = taken_from(broker, OWN, 20)
    assert len(messages) == 20
    for aggregate in aggregates:
        of_one = [m for m in messages if m.headers["cloudEvents:subject"] == str(aggregate)]
        assert [json.loads(m.body)["number"] for m in of_one] == [1, 2, 3, 4, 5]


def test_the_relay_shows_that_it_goes_on_while_it_sends_one_aggregate(scene: Scene) -> None:
    pulse = Pulse()
    begun: list[float] = []

    class Watched(Relay):
        def run(self, stopping: Callable[[], bool]) -> None:
            pulse.begin()
            begun.append(pulse.beat_at)
            super().run(stopping)

    emit(scene, uuid4(), *range(1, 6))
    with Running(Watched("matching", scene.settings)):
        wait_for(lambda: sent(scene) == 5)

    assert pulse.beat_at > begun[0]


def test_an_event_that_no_queue_takes_stays_and_holds_its_aggregate(
    scene: Scene, broker: str
) -> None:
    with Connection(broker) as connection:
        source = Exchange("matching.events", type="topic", durable=True)
        queue = Queue(OWN, source, routing_key="note.#")(connection)
        queue.unbind_from(source, "note.#")
        note_id = uuid4()
        emit(scene, note_id, 1, 2)

        with Running(Relay("matching", scene.settings)):
            query = "SELECT problem, sequence FROM outbox ORDER BY position"
            wait_for(lambda: scene.rows(query)[0]["problem"])
            assert scene.rows(query) == [
                {"problem": "returned", "sequence": 1},
                {"problem": None, "sequence": 2},
            ]
            queue.bind_to(source, "note.#")
            wait_for(lambda: sent(scene) == 2)

    numbers = [json.loads(m.body)["number"] for m in taken_from(broker, OWN, 2)]
    assert numbers == [1, 2]


def test_a_connection_on_which_the_broker_keeps_refusing_is_left_for_another(
    scene: Scene, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def counted(urls: str, name: str) -> broker_connections.BrokerConnection:
        opened.append(name)
        return broker_connections.open_connection(urls, name)

    monkeypatch.setattr(relay_module, "open_connection", counted)
    monkeypatch.setattr(relay_module, "TRUSTED_SECONDS", 0.5)
    full = {"x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish"}
    with Connection(broker) as connection:
        source = Exchange("matching.events", type="topic", durable=True)
        small = Queue("matching.small", source, routing_key="note.#", queue_arguments=full)
        small(connection).declare()
        try:
            with Running(Relay("matching", scene.settings)) as running:
                # A queue learns only after a few that it is full.
                while len(opened) < 3 and not running.error:
                    emit(scene, uuid4(), 1)
                    time.sleep(0.05)
                small(connection).unbind_from(source, "note.#")
                wait_for(lambda: running.error or scene.rows("SELECT FROM outbox") == [])
        finally:
            small(connection).delete()

    assert running.error is None
    assert set(opened) == {"matching.relay"}


def test_an_event_that_is_tried_again_is_in_the_journal_once(
    scene: Scene, broker: str, tmp_path: Path
) -> None:
    with Connection(broker) as connection:
        source = Exchange("matching.events", type="topic", durable=True)
        queue = Queue(OWN, source, routing_key="note.#")(connection)
        queue.unbind_from(source, "note.#")
        emit(scene, uuid4(), 1)

        with Running(Relay("matching", replace(scene.settings, journal=tmp_path))):
            wait_for(lambda: scene.rows("SELECT attempts FROM outbox")[0]["attempts"] == 2)
        queue.bind_to(source, "note.#")

    [journal] = (tmp_path / "matching").iterdir()
    assert len(journal.read_text().splitlines()) == 1


def test_of_two_relays_one_leads_and_nothing_is_published_twice(scene: Scene, broker: str) -> None:
    relays = [Relay("matching", scene.settings) for _ in range(2)]

    with Running(relays[0]), Running(relays[1]):
        for number in range(20):
            emit(scene, uuid4(), number)
        wait_for(lambda: sent(scene) == 20)

    with Connection(broker) as connection:
        assert connection.channel().queue_declare(OWN, passive=True).message_count == 20


def test_a_relay_whose_database_session_ends_moves_nothing_any_more(scene: Scene) -> None:
    with Running(Relay("matching", scene.settings)) as running:
        emit(scene, uuid4(), 1)
        wait_for(lambda: sent(scene) == 1)
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        scene.rows(query, ("matching.relay",))
        emit(scene, uuid4(), 1)
        wait_for(lambda: running.error)

    assert isinstance(running.error, psycopg.OperationalError)
    assert sent(scene) == 1


def test_a_relay_with_nothing_to_send_keeps_its_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_connections, "HEARTBEAT_SECONDS", 1)

    with Running(Relay("matching", scene.settings)) as running:
        time.sleep(4)
        emit(scene, uuid4(), 1)
        wait_for(lambda: running.error or sent(scene) == 1)

    assert running.error is None


def test_events_are_acknowledged_only_after_their_effect_is_committed(
    scene: Scene, broker: str
) -> None:
    publish(broker, [delivery(number) for number in range(1, 251)])
    loop = QueueLoop(scene.handling("parcel.sent.v1"), batch_size=100)

    with Running(loop):
        wait_for(lambda: len(scene.events()) == 250)

    assert [data["number"] for _, data in scene.events()] == list(range(1, 251))
    with Connection(broker) as connection:
        assert connection.channel().queue_declare(FOLLOWED, passive=True).message_count == 0


def test_a_lost_database_acknowledges_nothing(scene: Scene, broker: str) -> None:
    publish(broker, [delivery(1)])
    scene.pool.close()
    loop = QueueLoop(scene.handling("parcel.sent.v1"), batch_size=100)

    with Running(loop) as running:
        wait_for(lambda: running.error)

    with Connection(broker) as connection:
        channel = connection.channel()
        wait_for(lambda: channel.queue_declare(FOLLOWED, passive=True).message_count == 1)
    (message,) = taken_from(broker, FOLLOWED, 1)
    assert "x-delivery-count" not in message.headers  # it was not even taken


@pytest.mark.parametrize(("disconnects", "transactions"), [(1, 1), (2, 20)])
def test_events_stand_alone_once_two_connections_were_lost_with_them(
    scene: Scene, broker: str, disconnects: int, transactions: int
) -> None:
    publish(broker, [delivery(1, subject=uuid4()) for _ in range(20)])
    for _ in range(disconnects):
        with Connection(broker) as connection:
            found: list[Any] = []
            connection.channel().basic_consume(FOLLOWED, callback=found.append)
            while len(found) < 20:
                connection.drain_events(timeout=10)
    loop = QueueLoop(scene.handling("parcel.sent.v1"), batch_size=100)

    with Running(loop):
        wait_for(lambda: len(scene.events()) == 20)

    (row,) = scene.rows("SELECT count(DISTINCT xmin::text) FROM inbox")
    assert row["count"] == transactions


def test_a_late_confirm_is_never_taken_for_another_publishing() -> None:
    confirms = Confirms()
    rows = [{"event_id": UUID(int=number)} for number in range(3)]
    for row in rows:
        confirms.published(row)

    confirms.on_ack(2, multiple=False)
    assert confirms.take() == Answers(confirmed=[rows[1]])
    confirms.on_nack(3, multiple=True)

    assert confirms.take() == Answers(refused=[rows[0], rows[2]])


def test_a_return_is_kept_until_its_own_ack_comes() -> None:
    confirms = Confirms()
    rows = [{"event_id": UUID(int=number)} for number in range(2)]
    for row in rows:
        confirms.published(row)

    returned = amqp.Message("", message_id=str(rows[1]["event_id"]))
    confirms.on_return(Exception(), "", "", returned)
    confirms.on_ack(1, multiple=False)
    assert confirms.take() == Answers(confirmed=[rows[0]])
    assert confirms.awaits(2)
    confirms.on_ack(2, multiple=True)

    assert confirms.take() == Answers(returned=[rows[1]])
    assert not confirms.awaits(2)


def test_a_turn_never_holds_two_events_of_one_aggregate() -> None:
    rows = [{"aggregate_id": aggregate, "n": n} for n, aggregate in enumerate("aabac")]

    assert [[row["n"] for row in turn] for turn in turns(rows)] == [[0, 2, 4], [1], [3]]


def publish(broker: str, deliveries: list[Any]) -> None:
    """Publish with confirms: what was sent just before a connection ends may be lost without."""
    with Connection(broker, transport_options={"confirm_publish": True}) as connection:
        channel = connection.channel()
        for one in deliveries:
            message = amqp.Message(
                one.body, content_type=one.content_type, application_headers=dict(one.headers)
            )
            channel.basic_publish(message, "post.events", "parcel.sent.v1")
