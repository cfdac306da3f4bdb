"""A write sent again is done once, also when all its copies arrive together."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis.http import idempotency
from services.chassis.http.request import Caller
from services.chassis.roles import CLIENT, CLINIC
from tests.integration.chassis.post import Faults, opened
from tests.support import Reply, Scene

NORTH, SOUTH = UUID(int=1), UUID(int=2)
ANA = Caller("ana", CLINIC, frozenset({NORTH}))
KEY = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    Faults.runs = 0
    with opened(database("matching")) as scene:
        yield scene


def send(scene: Scene, caller: Caller = ANA, *, key: str | None = KEY, **body: Any) -> Reply:
    return scene.call("send", caller, {"label": "books"} | body, key=key)


def count(scene: Scene, table: str) -> int:
    return int(scene.rows(f"SELECT count(*) AS number FROM {table}")[0]["number"])  # noqa: S608


def test_the_same_request_again_is_answered_alike_and_done_once(scene: Scene) -> None:
    first, again = send(scene), send(scene)

    assert (again.status, again.text) == (201, first.text)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.etag == first.etag
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (count(scene, "parcels"), len(scene.events())) == (1, 1)


def test_without_a_key_nothing_is_kept(scene: Scene) -> None:
    send(scene, key=None)

    assert count(scene, "idempotency_keys") == 0


def test_twenty_at_once_do_it_once(scene: Scene) -> None:
    with ThreadPoolExecutor(20) as threads:
        futures = [threads.submit(send, scene, pause_seconds=0.3) for _ in range(20)]
        replies = [future.result() for future in futures]

    statuses = Counter(reply.status for reply in replies)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    for reply in replies:
        if reply.status == 409:
            assert reply.json["type"].endswith(":still-running")
            assert reply.headers["Retry-After"] == "1"
    assert len({reply.text for reply in replies if reply.status == 201}) == 1
    assert (count(scene, "parcels"), len(scene.events())) == (1, 1)
    assert send(scene, pause_seconds=0.3).headers["Idempotency-Replayed"] == "true"


def test_another_request_under_the_same_key_is_refused(scene: Scene) -> None:
    parcel = send(scene).json

    others = [
        send(scene, label="pens"),
        scene.call("told", ANA, key=KEY),
        scene.call("relabel", ANA, {"label": "x"}, path={"parcel_id": parcel["id"]}, key=KEY),
        send(scene, Caller("ana", CLINIC, frozenset({NORTH, SOUTH}))),
        send(scene, Caller("ana", CLINIC, frozenset({SOUTH})), label="lamps"),
    ]

    for reply in others:
        assert reply.status == 422
        assert reply.json["type"].endswith(":idempotency-key-reused")
    assert count(scene, "parcels") == 1


def test_the_order_of_names_and_spaces_make_no_other_request(scene: Scene) -> None:
    headers = {"authorization": f"Bearer {scene.token(ANA)}", "idempotency-key": KEY}
    replies = [
        scene.request("POST", "/api/matching/parcels", body=body, headers=headers)
        for body in (b'{"label":"a","pause_seconds":0}', b'{ "pause_seconds": 0, "label": "a" }')
    ]

    assert replies[0].text == replies[1].text


def test_an_account_that_is_somebody_else_now_is_not_answered_for_the_former(
    scene: Scene,
) -> None:
    send(scene, Caller("bea", CLIENT, frozenset({NORTH}), person=UUID(int=8)))

    other = send(scene, Caller("bea", CLIENT, frozenset({NORTH}), person=UUID(int=9)))

    assert other.status == 422


def test_two_people_may_use_one_key(scene: Scene) -> None:
    send(scene)

    other = send(scene, Caller("bea", CLINIC, frozenset({NORTH})), label="pens")

    assert other.status == 201
    assert count(scene, "parcels") == 2


def test_after_a_problem_the_key_may_be_used_again(scene: Scene) -> None:
    refused = scene.call("fail", ANA, {"kind": "rule"}, key=KEY)

    assert refused.status == 409
    assert count(scene, "idempotency_keys") == 0
    assert send(scene).status == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "a\n", "a" * 256])
def test_a_malformed_key_is_refused(scene: Scene, key: str) -> None:
    headers = {"authorization": f"Bearer {scene.token(ANA)}", "idempotency-key": key}

    reply = scene.request("POST", "/api/matching/parcels", body={"label": "a"}, headers=headers)

    assert reply.status == 400
    assert count(scene, "parcels") == 0


def test_a_key_is_forgotten_after_a_day(scene: Scene) -> None:
    first = send(scene)
    scene.pass_time(hours=24, seconds=1)

    later = send(scene, label="pens")

    assert later.status == 201
    assert later.text != first.text
    assert send(scene, label="pens").text == later.text


def test_old_answers_are_cleared_and_young_ones_kept(scene: Scene) -> None:
    with scene.work() as work:
        query = "INSERT INTO organisations VALUES (%s, 'clinic', 'North', 'UTC', NULL)"
        work.connection.execute(query, (NORTH,))
    send(scene)
    scene.pass_time(hours=23)
    send(scene, key="young", label="pens")
    scene.pass_time(hours=2)

    with scene.work(NORTH) as work:
        idempotency.clear_old(work)

    assert [row["key"] for row in scene.rows("SELECT key FROM idempotency_keys")] == ["young"]


def test_a_kept_answer_is_seen_only_for_all_its_organisations(scene: Scene) -> None:
    send(scene, Caller("ana", CLINIC, frozenset({NORTH, SOUTH})))

    def seen(*orgs: UUID) -> int:
        with scene.work(*orgs) as work:
            return len(work.connection.execute("SELECT key FROM idempotency_keys").fetchall())

    assert [seen(), seen(NORTH), seen(SOUTH), seen(NORTH, SOUTH)] == [0, 0, 0, 1]


def test_somebody_without_organisations_is_answered_alike_too(scene: Scene) -> None:
    with scene.work() as work:
        query = "INSERT INTO organisations VALUES (%s, 'clinic', 'North', 'UTC', NULL)"
        work.connection.execute(query, (NORTH,))
    client = Caller("c", CLIENT, frozenset(), uuid4())

    first, again = send(scene, client), send(scene, client)

    assert (first.status, first.text) == (201, again.text)
