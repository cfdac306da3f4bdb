"""The links to broker, database and mail server: slow, sliced, cut, half-open, late."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.chaos.proxy import Link, Proxy
from tests.faults.post_office import PostOffice, end
from tests.faults.servers import Broker, Database
from tests.support import wait_for


@dataclass
class Links:
    broker: Link
    database: Link


@pytest.fixture(scope="module")
def links(life: PostOffice, hurt_broker: Broker, hurt_database: Database) -> Iterator[Links]:
    """A web and a worker that reach both servers through proxies."""
    with Proxy() as proxy:
        links = Links(proxy.before(hurt_broker.port), proxy.before(hurt_database.port))
        environment = {
            "KINDRED_BROKER": _moved(hurt_broker.url, links.broker.port),
            "KINDRED_DATABASE": life.scene.settings.database.replace(
                f"port={hurt_database.port}", f"port={links.database.port}"
            ),
        }
        before = life.environment
        life.environment = environment
        for process in (life.web, life.worker):
            end(process)
        life.mend()
        yield links
        life.environment = before
        for process in (life.web, life.worker):
            end(process)


def _moved(url: str, port: int) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{port}/")


@pytest.fixture(autouse=True)
def _healed(links: Links) -> Iterator[None]:
    yield
    links.broker.heal()
    links.database.heal()


def test_slow_sliced_and_jittery_links_change_nothing_but_the_time(
    office: PostOffice, links: Links
) -> None:
    links.broker.behave(latency=0.03, jitter=0.02, slice_bytes=40)
    links.database.behave(latency=0.01, jitter=0.01)

    for _ in range(3):
        office.send(1, 2, 3)
        office.command()

    office.settle()
    assert links.broker.bytes["forth"] > 1000
    assert links.database.bytes["forth"] > 1000


def test_a_link_of_32_kilobytes_a_second_carries_a_backlog(
    office: PostOffice, links: Links
) -> None:
    links.broker.behave(bytes_per_second=32_000)

    for _ in range(10):
        office.send(*range(1, 6))

    office.settle()


def test_links_cut_in_the_middle_of_a_frame_are_opened_again(
    office: PostOffice, links: Links
) -> None:
    for count in (100, 700, 1500):
        links.broker.cut_after(count)
        office.send(1, 2, 3)
        links.database.cut_after(count)
        office.command()
    links.broker.cut()
    links.database.cut()
    wait_for(lambda: office.command() == 204, seconds=20)

    office.settle()


def test_a_confirm_that_comes_too_late_is_none_and_the_event_is_sent_again(
    office: PostOffice, links: Links
) -> None:
    office.command()
    office.settle()
    links.broker.behave(answer_latency=6.0)
    office.command()
    wait_for(lambda: "Unanswered" in office.log_since, seconds=20)
    assert len(office.unsent()) == 1
    links.broker.heal()

    office.settle()
    identities = [event_id for event_id, _, _ in office.told]
    assert len(identities) > len(set(identities))


def test_a_half_open_link_to_the_broker_is_given_up(office: PostOffice, links: Links) -> None:
    links.broker.behave(half_open=True)
    assert office.command() == 204
    wait_for(lambda: "Unanswered" in office.log_since, seconds=20)
    links.broker.heal()

    office.send(1, 2)
    office.settle()


def test_a_half_open_link_to_the_database_is_given_up(office: PostOffice, links: Links) -> None:
    links.database.behave(half_open=True)
    assert office.command() == 503
    links.database.heal()

    wait_for(lambda: office.command() == 204, seconds=20)
    office.send(1, 2)
    office.settle()
