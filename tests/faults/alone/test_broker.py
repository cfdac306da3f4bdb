"""The broker closes, stops, dies, stands still, is full, or refuses; and comes back."""

from collections.abc import Callable

import pytest

from tests.faults.post_office import OWN, PostOffice
from tests.faults.servers import Broker
from tests.support import wait_for

CLOSE_ALL = 'rabbit_networking:close_connections(rabbit_networking:connections(), "fault")'


def alarms(broker: Broker) -> str:
    return broker.tell("rabbit_alarm:get_alarms()")


def test_closed_connections_are_opened_again(office: PostOffice, hurt_broker: Broker) -> None:
    office.send(1, 2)
    for _ in range(3):
        hurt_broker.tell(CLOSE_ALL)
        office.command()
        office.send(1, 2)

    office.settle()


def test_a_broker_that_stops_in_order_keeps_what_it_had_and_gets_the_rest(
    office: PostOffice, hurt_broker: Broker
) -> None:
    office.send(1, 2, 3)
    hurt_broker.tell("rabbit:stop()")
    try:
        assert office.command() == 204
    finally:
        hurt_broker.tell("rabbit:start()")

    office.settle()


def test_a_killed_broker_keeps_what_it_confirmed_and_gets_the_rest(
    office: PostOffice, hurt_broker: Broker
) -> None:
    office.send(*range(1, 6))
    office.command()

    hurt_broker.kill()
    try:
        assert office.command() == 204
    finally:
        hurt_broker.start()

    office.settle()


def test_a_broker_that_stands_still_is_given_up_and_asked_again(
    office: PostOffice, hurt_broker: Broker
) -> None:
    with hurt_broker.stopped():
        assert office.command() == 204
        wait_for(lambda: "Unanswered" in office.log_since, seconds=20)
        assert office.command() == 204
        assert len(office.unsent()) == 2

    office.settle()


MEMORY = (
    "vm_memory_monitor:set_vm_memory_high_watermark(0.0000001)",
    "vm_memory_monitor:set_vm_memory_high_watermark(0.6)",
)
DISK = (
    "rabbit_disk_monitor:set_disk_free_limit(1000000000000000)",
    "rabbit_disk_monitor:set_disk_free_limit(1000000)",
)


@pytest.mark.parametrize(("raise_", "clear"), [MEMORY, DISK], ids=["memory", "disk"])
def test_while_the_broker_takes_nothing_commands_are_accepted_and_leave_afterwards(
    office: PostOffice, hurt_broker: Broker, raise_: str, clear: str
) -> None:
    hurt_broker.tell(raise_)
    try:
        wait_for(lambda: "resource_limit" in alarms(hurt_broker), seconds=20)
        assert office.command() == 204
        # The publisher does not hang: it gives up the connection, and tries again.
        wait_for(lambda: "Unanswered" in office.log_since, seconds=20)
        assert office.command() == 204
        assert len(office.unsent()) == 2
    finally:
        hurt_broker.tell(clear)
        wait_for(lambda: "resource_limit" not in alarms(hurt_broker), seconds=30)

    office.settle()


def test_what_a_full_queue_refuses_stays_and_is_sent_as_there_is_room(
    office: PostOffice, hurt_broker: Broker
) -> None:
    policy = '[{<<"max-length">>, 3}, {<<"overflow">>, <<"reject-publish">>}]'
    hurt_broker.tell(
        'rabbit_policy:set(<<"kindred">>, <<"small">>, <<"^matching.note$">>, '
        f'{policy}, 1, <<"queues">>, <<"fault">>)'
    )
    try:
        for _ in range(12):
            office.command()
        wait_for(lambda: any(row["problem"] == "refused" for row in office.unsent()))
        while office.unsent():
            office.listen()
    finally:
        hurt_broker.tell('rabbit_policy:delete(<<"kindred">>, <<"small">>, <<"fault">>)')

    office.settle()


def test_a_revoked_permission_holds_everything_and_loses_nothing(
    office: PostOffice, hurt_broker: Broker
) -> None:
    allow: Callable[[str, str], str] = lambda write, read: hurt_broker.tell(  # noqa: E731
        'rabbit_auth_backend_internal:set_permissions(<<"matching">>, <<"kindred">>, <<"^$">>, '
        f'<<"{write}">>, <<"{read}">>, <<"fault">>)'
    )
    allow("^$", "^$")
    try:
        hurt_broker.tell(CLOSE_ALL)
        assert office.command() == 204
        office.send(1, 2)
        wait_for(lambda: "AccessRefused" in office.log_since)
        assert not office.is_ready(office.worker)
    finally:
        allow(r"^matching\\.events$", r"^matching\\..*$")

    office.settle()


def test_an_event_that_no_queue_takes_is_kept_until_its_binding_is_back(
    office: PostOffice, hurt_broker: Broker
) -> None:
    with office.unbound(OWN, "matching.events", "note.#"):
        office.command()
        wait_for(lambda: any(row["problem"] == "returned" for row in office.unsent()))

    office.settle()


def test_a_consumer_whose_queue_was_deleted_comes_back_when_it_is_declared_again(
    office: PostOffice, hurt_broker: Broker
) -> None:
    office.delete_queue()
    wait_for(lambda: "loop_fault" in office.log_since)
    office.declare_queue()

    office.send(1, 2)

    office.settle()
