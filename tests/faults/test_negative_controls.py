"""A checker that cannot find anything proves nothing: each broken rule makes it red.

The services are the real ones, on databases of their own and through the real broker; each story
is told once with the rule kept, where the verdict is clean, and once with it broken.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from kombu.connection import Connection

from deploy import topology
from services.chassis import relay
from services.chassis.deferred import Delivery
from services.chassis.queue_loop import QueueLoop
from services.chassis.relay import Relay
from services.matching.service import Matching
from services.notifications.events import NotificationDelivered
from services.notifications.service import Notifications
from services.referrals.handlers import follow
from services.referrals.service import Referrals
from tests.chaos import crash_points
from tests.chaos.broken_rules import (
    BreakRule,
    acknowledge_before_commit,
    delete_before_confirm,
    enter_inbox_after_effect,
    publish_without_mandatory,
)
from tests.chaos.checker import check
from tests.chaos.crash_points import IN_TRANSACTION
from tests.chaos.evidence import Evidence
from tests.chaos.proxy import Proxy
from tests.chaos.verdict import APPLIED_TWICE, DOUBLE_BOOKED, LOST, Verdict
from tests.integration.referrals.people import CLINIC, Desk
from tests.integration.scheduling.region import Region
from tests.integration.scheduling.test_claims import TUESDAY_NINE
from tests.support import SERVICES, Scene, TestDatabase, wait_for

DELIVERED = "referrals.notification"
_COUNTED = "outbox, outbox_sent, inbox, positions, deferred, streams"


class Killed(BaseException):
    """Stands for a process that ends at once: nothing of it is committed or answered."""


@dataclass
class CountingLoop(QueueLoop):
    """Knows how many messages it has answered: an empty queue may still have some in hand."""

    answered: int = 0

    def _handle(self, batch: Sequence[Any]) -> float:
        seconds = super()._handle(batch)
        self.answered += len(batch)
        return seconds


@dataclass
class Services:
    """The four services' databases, and loops of theirs in this process."""

    databases: dict[str, TestDatabase]
    broker: str
    mail: Path

    def __post_init__(self) -> None:
        topology.apply(self.broker)
        with Connection(self.broker) as connection:
            for queue in topology.read_topology()["queues"]:
                connection.channel().queue_purge(queue)
        self.scenes = {
            service.name: self._scene(service) for service in (Referrals, Matching, Notifications)
        }
        desk = Desk(self.scenes["referrals"])
        desk.register(CLINIC)
        self.referral = desk.submit()
        self.forget()

    def _scene(self, service: Any) -> Scene:
        scene = Scene(service, self.databases[service.name])
        self.use_broker(scene)
        return scene

    def use_broker(self, scene: Scene, url: str | None = None) -> None:
        scene.settings = replace(scene.settings, broker=url or self.broker, topology=topology.FILE)
        scene.workplace.settings = scene.settings

    def forget(self) -> None:
        """What was set up counts for nothing: only what a story does afterwards is judged."""
        for name, database in self.databases.items():
            effects = ", steps" if name == "referrals" else ""
            with psycopg.connect(database.owner) as connection:
                connection.execute(f"TRUNCATE {_COUNTED}{effects}".encode())

    def close(self) -> None:
        for scene in self.scenes.values():
            scene.close()

    def tell_delivery(self) -> UUID:
        """Notifications tells that a message about the referral was delivered."""
        message_id = uuid4()
        event = NotificationDelivered(
            message_id=message_id,
            kind="referral-accepted",
            recipient="clinic",
            recipient_id=CLINIC,
            referral_id=UUID(self.referral["id"]),
            match_id=None,
            session_id=None,
            channel="email",
            delivered_at=datetime.now(UTC),
            repeats=0,
        )
        with self.scenes["notifications"].work() as work:
            work.emit(event, org=CLINIC, clinic_org=CLINIC)
        return message_id

    @contextmanager
    def relaying(self, scene: Scene) -> Iterator[None]:
        with running(Relay(scene.service.name, scene.settings)):
            yield

    @contextmanager
    def consuming(self, scene: Scene, queue: str) -> Iterator["CountingLoop"]:
        name = f"{queue.partition('.')[2]}.x"
        loop = CountingLoop(scene.handling(name), batch_size=10)
        with running(loop):
            yield loop

    def count(self, service: str, table: str) -> int:
        rows = self.scenes[service].rows(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(rows[0]["count"])

    def verdict(self) -> Verdict:
        databases = {name: database.owner for name, database in self.databases.items()}
        return check(Evidence(databases, self.mail))


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def with_port(url: str, port: int) -> str:
    return url.replace(f":{port_of(url)}/", f":{port}/")


@contextmanager
def running(loop: Any) -> Iterator[None]:
    """A loop in a thread, begun anew when it fails, as in a worker."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                loop.run(stop.is_set)
            except (Exception, Killed):  # noqa: BLE001
                stop.wait(0.1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


Story = Callable[["Services", pytest.MonkeyPatch], None]


@pytest.fixture
def services(database: Any, broker: str, tmp_path: Path) -> Iterator[Services]:
    services = Services({name: database(name) for name in SERVICES}, broker, tmp_path)
    yield services
    services.close()


def ready(services: Services, queue: str) -> int:
    with Connection(services.broker) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def killed_in_a_transaction(services: Services, patch: pytest.MonkeyPatch) -> None:
    """A consumer is killed when its handlers are done; another comes in its place."""
    armed = [IN_TRANSACTION]

    def end(point: str) -> None:
        if point in armed:
            armed.remove(point)
            raise Killed

    services.tell_delivery()
    with services.relaying(services.scenes["notifications"]):
        wait_for(lambda: services.count("notifications", "outbox_sent") == 1)
    crash_points.install(end, patch.setattr)
    with services.consuming(services.scenes["referrals"], DELIVERED):
        wait_for(lambda: not armed)
        # It comes after whatever the killed one gave back.
        message_id = services.tell_delivery()
        with services.relaying(services.scenes["notifications"]):
            wait_for(lambda: services.count("notifications", "outbox_sent") == 2)
        query = "SELECT event_id FROM outbox_sent WHERE aggregate_id = %s"
        (last,) = services.scenes["notifications"].rows(query, (message_id,))
        entered = "SELECT FROM inbox WHERE event_id = %s"
        wait_for(lambda: bool(services.scenes["referrals"].rows(entered, (last["event_id"],))))


def cut_off_from_the_broker(services: Services, patch: pytest.MonkeyPatch) -> None:
    """What the relay publishes goes nowhere, and nobody says so; later the link is well again."""
    notifications = services.scenes["notifications"]
    with Proxy() as proxy:
        link = proxy.before(port_of(services.broker))
        services.use_broker(notifications, with_port(services.broker, link.port))
        with services.relaying(notifications):
            services.tell_delivery()
            wait_for(lambda: ready(services, DELIVERED) > 0)
            wait_for(lambda: services.count("notifications", "outbox_sent") == 1)
            patch.setattr(relay, "CONFIRM_SECONDS", 0.5)
            link.behave(half_open=True)
            before = link.accepted
            services.tell_delivery()
            # Whoever connects anew has waited in vain for an answer to what went nowhere.
            wait_for(lambda: link.accepted > before)
            link.heal()
            wait_for(lambda: services.count("notifications", "outbox") == 0)
            # One that goes well shows that the relay is at work again.
            services.tell_delivery()
            wait_for(lambda: services.count("notifications", "outbox_sent") == 3)
    consume_all(services)


def unbound_for_a_while(services: Services, patch: pytest.MonkeyPatch) -> None:
    """A queue loses its binding, and gets it back."""
    with Connection(services.broker) as connection:
        channel = connection.channel()
        channel.queue_unbind(DELIVERED, "notifications.events", "notification.#")
        try:
            services.tell_delivery()
            with services.relaying(services.scenes["notifications"]):
                query = "SELECT FROM outbox WHERE problem IS NULL"
                wait_for(lambda: not services.scenes["notifications"].rows(query))
        finally:
            channel.queue_bind(DELIVERED, "notifications.events", "notification.#")
    with services.relaying(services.scenes["notifications"]):
        wait_for(lambda: services.count("notifications", "outbox") == 0)
    consume_all(services)


def consume_all(services: Services, service: str = "referrals", queue: str = DELIVERED) -> None:
    waiting = ready(services, queue)
    with services.consuming(services.scenes[service], queue) as loop:
        wait_for(lambda: loop.answered >= waiting)


def delivered_twice_at_once(services: Services, patch: pytest.MonkeyPatch) -> None:
    """Two consumers have the same event in hand: the second when the first has not committed."""
    referrals = services.scenes["referrals"]
    in_hand, go_on = threading.Semaphore(0), threading.Event()
    note = follow.note_message

    def slowly(*arguments: Any, **named: Any) -> Any:
        in_hand.release()
        assert go_on.wait(10)
        return note(*arguments, **named)

    patch.setattr(follow, "note_message", slowly)
    services.tell_delivery()
    with services.relaying(services.scenes["notifications"]):
        wait_for(lambda: services.count("notifications", "outbox_sent") == 1)
    deliveries = [taken(services, DELIVERED)]
    with ThreadPoolExecutor(2) as threads:
        handling = referrals.handling("notification.x")
        first = threads.submit(handling.handle, deliveries)
        assert in_hand.acquire(timeout=10)
        second = threads.submit(handling.handle, deliveries)
        waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
        wait_for(
            lambda: (
                referrals.rows(waits, (referrals.database.name,)) or in_hand.acquire(blocking=False)
            )
        )
        go_on.set()
        first.result(20), second.result(20)


def taken(services: Services, queue: str) -> Delivery:
    """The one message of a queue, taken off it."""
    found: list[Any] = []
    with Connection(services.broker) as connection:
        channel = connection.channel()
        channel.auto_decode = False
        channel.basic_consume(queue, callback=found.append, no_ack=True)
        while not found:
            connection.drain_events(timeout=5)
    (message,) = found
    return Delivery(
        headers=message.headers,
        content_type=message.properties["content_type"],
        body=bytes(message.body),
    )


@pytest.mark.parametrize(
    ("story", "break_rule", "broken"),
    [
        (killed_in_a_transaction, acknowledge_before_commit, (LOST, "I1")),
        (cut_off_from_the_broker, delete_before_confirm, (LOST, "I1")),
        (unbound_for_a_while, publish_without_mandatory, (LOST, "I1")),
        (delivered_twice_at_once, enter_inbox_after_effect, (APPLIED_TWICE, "I2")),
    ],
    ids=["acknowledge", "delete", "mandatory", "inbox"],
)
def test_a_broken_rule_is_found_by_its_own_invariant_and_a_kept_one_is_not(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    story: Story,
    break_rule: BreakRule,
    broken: tuple[str, str],
) -> None:
    with monkeypatch.context() as patch:
        story(services, patch)
    assert services.verdict().findings == []

    services.forget()
    with monkeypatch.context() as patch:
        break_rule(patch.setattr)
        story(services, patch)

    findings = services.verdict().findings
    assert {(one.counter, one.invariant) for one in findings} == {broken}


def booked_at_once(services: Services) -> list[int]:
    """Two clients book one peer's hour at once, and everybody who follows sessions is told."""
    region = Region(services.databases["scheduling"])
    region.clinic_id = CLINIC
    region.hear_of_organisations(CLINIC, uuid4())
    try:
        first = region.pair(referral_id=UUID(services.referral["id"]))
        second = region.pair(peer_id=first.peer_id, referral_id=first.referral_id)
        services.forget()
        with ThreadPoolExecutor(2) as threads:
            tries = [
                threads.submit(region.book, region.client(pair), pair, TUESDAY_NINE)
                for pair in (first, second)
            ]
        services.use_broker(region.scene)
        services.scenes["scheduling"] = region.scene
        with services.relaying(region.scene):
            wait_for(lambda: services.count("scheduling", "outbox") == 0)
        for service in ("referrals", "matching", "notifications"):
            consume_all(services, service, f"{service}.session")
        return sorted(one.result().status for one in tries)
    finally:
        del services.scenes["scheduling"]
        region.close()


def test_without_the_exclusion_constraint_the_checker_finds_a_double_booking(
    services: Services,
) -> None:
    assert booked_at_once(services) == [201, 409]
    assert services.verdict().findings == []

    with psycopg.connect(services.databases["scheduling"].owner) as connection:
        connection.execute("TRUNCATE sessions, claims CASCADE")
        connection.execute("ALTER TABLE claims DROP CONSTRAINT claims_one_at_a_time")
    with psycopg.connect(services.databases["notifications"].owner) as connection:
        connection.execute("TRUNCATE messages")
    assert booked_at_once(services) == [201, 201]

    findings = services.verdict().findings
    assert {(one.counter, one.invariant) for one in findings} == {(DOUBLE_BOOKED, "I5")}
