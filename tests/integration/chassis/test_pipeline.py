"""Requests to a service on a real database, from the token to the committed answer."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from services.chassis.http.raw import RawRequest
from services.chassis.http.request import Caller
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, EVALUATOR
from tests.integration.chassis.post import Faults, opened
from tests.support import Reply, Scene

NORTH, SOUTH = UUID(int=1), UUID(int=2)
ANA = Caller("ana", CLINIC, frozenset({NORTH}))
SUE = Caller("sue", CLINIC, frozenset({SOUTH}))


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    Faults.runs = 0
    with opened(database("matching")) as scene:
        yield scene


def send(scene: Scene, caller: Caller = ANA, **body: Any) -> Reply:
    return scene.call("send", caller, {"label": "books"} | body)


def parcels(scene: Scene) -> int:
    return int(scene.rows("SELECT count(*) AS number FROM parcels")[0]["number"])


def is_problem(reply: Reply, status: int, slug: str | None = None) -> bool:
    assert reply.headers["Content-Type"] == "application/problem+json"
    told = reply.json
    assert told["status"] == reply.status
    assert told["title"]
    return reply.status == status and (slug is None or told["type"].endswith(f":{slug}"))


def test_a_write_is_committed_with_its_event_and_answered(scene: Scene) -> None:
    reply = send(scene)

    assert reply.status == 201
    assert set(reply.json) == {"id", "label"}
    assert reply.headers["Location"] == f"/api/matching/parcels/{reply.json['id']}"
    assert reply.etag == '"1"'
    assert scene.events() == [("parcel.sent.v1", {"parcel_id": reply.json["id"]})]
    (row,) = scene.rows("SELECT traceparent FROM outbox")
    assert len(row["traceparent"]) == 55


def test_every_answer_may_be_kept_and_guessed_at_by_nobody(scene: Scene) -> None:
    for reply in (send(scene), scene.request("GET", "/nowhere")):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        assert reply.headers["X-Request-Id"]


def test_a_request_keeps_its_id_only_if_it_is_one(scene: Scene) -> None:
    given = str(uuid4())

    kept = scene.request("GET", "/health/matching/live", headers={"x-request-id": given})
    made = scene.request("GET", "/health/matching/live", headers={"x-request-id": "Canary"})

    assert kept.headers["X-Request-Id"] == given
    assert "Canary" not in made.headers["X-Request-Id"]


def test_without_a_token_nothing_is_open(scene: Scene) -> None:
    for headers in ({}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer nonsense"}):
        reply = scene.request("GET", "/api/matching/parcels", headers=headers)

        assert is_problem(reply, 401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_role_that_is_not_named_is_refused(scene: Scene) -> None:
    for role in (COORDINATOR, EVALUATOR):
        assert is_problem(send(scene, Caller("x", role, frozenset({NORTH}))), 403, "forbidden")
    assert is_problem(scene.call("nobody", ANA), 403)
    assert parcels(scene) == 0


def test_a_service_token_opens_no_path_of_people(scene: Scene) -> None:
    reply = scene.ask("/../api/matching/parcels", caller="scheduling", purpose="x", body={})

    assert reply.status == 404


def test_anothers_parcel_answers_like_a_missing_one(scene: Scene) -> None:
    parcel_id = send(scene).json["id"]

    theirs = scene.call("show", SUE, path={"parcel_id": parcel_id})
    missing = scene.call("show", SUE, path={"parcel_id": uuid4()})

    assert is_problem(theirs, 404, "not-found")
    assert theirs.text == missing.text
    assert scene.call("show", ANA, path={"parcel_id": parcel_id}).status == 200


def test_an_id_that_is_no_uuid_is_not_found(scene: Scene) -> None:
    for wrong in ("7", "{00000000-0000-0000-0000-000000000000}", "0" * 32, "\0"):
        reply = scene.call("show", ANA, path={"parcel_id": wrong})

        assert is_problem(reply, 404)


def test_every_problem_of_query_and_body_is_named(scene: Scene) -> None:
    reply = scene.request(
        "POST",
        "/api/matching/parcels",
        query={"colour": "red"},
        body={"lines": [{"text": "a"}, {"text": ""}, {"words": 1}, 7], "weight": 3},
        headers={"authorization": f"Bearer {scene.token(ANA)}"},
    )

    assert is_problem(reply, 422, "invalid")
    assert set(reply.json["errors"]) == {
        "colour",
        "label",
        "weight",
        "lines.1.text",
        "lines.2.text",
        "lines.2.words",
        "lines.3",
    }
    assert parcels(scene) == 0


def test_a_query_field_may_be_repeated_only_if_it_is_a_list(scene: Scene) -> None:
    token = {"authorization": f"Bearer {scene.token(ANA)}"}
    listed = scene.request(
        "GET", "/api/matching/parcels", query={"label": ["a", "b"]}, headers=token
    )
    twice = scene.request("GET", "/api/matching/parcels", query={"limit": [1, 2]}, headers=token)

    assert listed.status == 200
    assert list(twice.json["errors"]) == ["limit"]


@pytest.mark.parametrize("query", ["label=%00", "label=%ff", "&".join(["label=a"] * 200)])
def test_a_query_that_cannot_be_read_is_refused(scene: Scene, query: str) -> None:
    assert get(scene, "").status == 200
    assert is_problem(get(scene, query), 400)


def get(scene: Scene, query: str) -> Reply:
    request = RawRequest(
        method="GET",
        path="/api/matching/parcels",
        query=query,
        headers={"authorization": f"Bearer {scene.token(ANA)}"},
    )
    response = scene.public.handle(request)
    return Reply(response.status, response.headers, response.body.decode())


def test_broken_large_and_foreign_bodies_are_refused(scene: Scene) -> None:
    def status(body: bytes, **headers: str) -> int:
        named = {"authorization": f"Bearer {scene.token(ANA)}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        reply = scene.request("POST", "/api/matching/parcels", body=body, headers=named)
        assert is_problem(reply, reply.status)
        return reply.status

    assert status(b'{"label": ') == 400
    assert status(b'{"label": "' + b"a" * 65_536 + b'"}') == 413
    assert status(b"label=a", content_type="text/plain") == 415
    assert status(b'{"label": "a\\u0000"}') == 422
    assert status(b'["label"]') == 422
    assert status(b"") == 422
    assert parcels(scene) == 0


def test_an_unknown_path_or_method_is_a_problem(scene: Scene) -> None:
    wrong_method = scene.request("PUT", "/api/matching/parcels")

    assert is_problem(scene.request("GET", "/api/matching"), 404)
    assert is_problem(wrong_method, 405, "method-not-allowed")
    assert wrong_method.headers["Allow"] == "GET, HEAD, POST"


def test_internal_paths_and_metrics_are_not_on_the_public_port(scene: Scene) -> None:
    assert is_problem(scene.request("POST", "/internal/labels", body={"ids": []}), 404)
    assert is_problem(scene.request("GET", "/metrics"), 404)
    assert "kindred_http_request_seconds" in scene.request("GET", "/metrics", internal=True).text


def test_staff_must_show_the_version_they_saw(scene: Scene) -> None:
    path = {"parcel_id": send(scene).json["id"]}

    def relabel(caller: Caller, if_match: str | None) -> Reply:
        return scene.call("relabel", caller, {"label": "pens"}, path=path, if_match=if_match)

    assert is_problem(relabel(ANA, None), 428, "version-needed")
    assert is_problem(relabel(ANA, "*"), 428)
    for stale in ('"2"', 'W/"1"', "1", '"1'):
        assert is_problem(relabel(ANA, stale), 412, "stale-version")
    assert relabel(ANA, '"7", "1"').etag == '"2"'
    assert is_problem(relabel(ANA, '"1"'), 412)


def test_somebody_acting_for_themselves_needs_no_version(scene: Scene) -> None:
    client = Caller("c", CLIENT, frozenset({NORTH}), uuid4())
    path = {"parcel_id": send(scene).json["id"]}

    assert scene.call("relabel", client, {"label": "pens"}, path=path).status == 200
    reply = scene.call("relabel", client, {"label": "ink"}, path=path, if_match='"1"')
    assert is_problem(reply, 412)


def test_somebody_without_organisations_acts_for_all(scene: Scene) -> None:
    parcel_id = send(scene).json["id"]
    client = Caller("c", CLIENT, frozenset(), uuid4())
    with scene.work() as work:
        query = "INSERT INTO organisations VALUES (%s, 'clinic', 'North', 'UTC', NULL)"
        work.connection.execute(query, (NORTH,))

    assert scene.call("show", client, path={"parcel_id": parcel_id}).status == 200
    nobodys = Caller("x", CLINIC, frozenset())
    assert scene.call("show", nobodys, path={"parcel_id": parcel_id}).status == 404


def test_a_list_goes_on_by_its_link(scene: Scene) -> None:
    sent = {send(scene, label=str(number)).json["id"] for number in range(5)}
    seen: list[str] = []
    query = "limit=2&label=x&label=y"
    while query:
        reply = get(scene, query)
        seen += [parcel["id"] for parcel in reply.json["items"]]
        link = reply.headers.get("Link", "")
        path, _, query = link.removeprefix("<").removesuffix('>; rel="next"').partition("?")
        assert path == ("/api/matching/parcels" if query else "")
        assert query.startswith("limit=2&label=x&label=y&cursor=") or not query

    assert len(seen) == 5
    assert set(seen) == sent


def test_a_good_answer_with_nothing_to_say_is_204(scene: Scene) -> None:
    parcel_id = send(scene).json["id"]

    reply = scene.call("drop", ANA, path={"parcel_id": parcel_id})

    assert (reply.status, reply.text) == (204, "")


def test_head_is_answered_without_a_body(scene: Scene) -> None:
    token = {"authorization": f"Bearer {scene.token(ANA)}"}

    reply = scene.request("HEAD", "/api/matching/parcels", headers=token)

    assert (reply.status, reply.text) == (200, "")


def fail(scene: Scene, kind: str, **more: Any) -> Reply:
    return scene.call("fail", ANA, {"kind": kind}, **more)


@pytest.mark.parametrize("kind", ["bug", "constraint"])
def test_a_bug_is_told_by_an_id_alone_and_changes_nothing(
    scene: Scene, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    reply = fail(scene, kind)

    assert is_problem(reply, 500, "internal-error")
    assert set(reply.json) == {"type", "title", "status", "instance"}
    assert "Canary" not in reply.text
    (record,) = [one for one in caplog.records if one.msg == "request_crashed"]
    assert str(record.__dict__["fields"]["error_id"]) in reply.json["instance"]
    assert record.__dict__["fields"]["route"] == "fail"
    assert parcels(scene) == 0


@pytest.mark.parametrize(("kind", "slug"), [("rule", "too-heavy"), ("conflict", "already-sent")])
def test_a_refusal_changes_nothing(scene: Scene, kind: str, slug: str) -> None:
    assert is_problem(fail(scene, kind), 409, slug)
    assert parcels(scene) == 0


def test_a_lost_database_connection_asks_to_come_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    reply = fail(scene, "away")

    assert is_problem(reply, 503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    (record,) = [one for one in caplog.records if one.msg == "unavailable"]
    assert record.__dict__["fields"] == {"route": "fail", "cause": "57p01"}
    assert fail(scene, "none").status == 200


def test_a_transaction_that_gave_way_runs_again_up_to_three_times(scene: Scene) -> None:
    assert is_problem(fail(scene, "deadlock"), 503)
    assert (Faults.runs, parcels(scene)) == (3, 0)

    Faults.runs = 0
    assert fail(scene, "serialization").status == 200
    assert (Faults.runs, parcels(scene)) == (3, 1)


def test_what_is_prepared_outside_reaches_the_handler(scene: Scene) -> None:
    send(scene)
    scene.owners.on("scheduling", "/internal/times", {"told": "monday"})

    assert scene.call("told", ANA).json == {"label": "1 monday"}


def test_an_owner_that_is_away_asks_to_come_again(scene: Scene) -> None:
    assert is_problem(scene.call("told", ANA), 503, "unavailable")


def test_a_kept_answer_needs_no_owner(scene: Scene) -> None:
    scene.owners.on("scheduling", "/internal/times", {"told": "monday"})
    first = scene.call("told", ANA, key="k")
    scene.owners.answers.clear()

    again = scene.call("told", ANA, key="k")

    assert again.text == first.text
    assert again.headers["Idempotency-Replayed"] == "true"


def ask_labels(scene: Scene, **changes: Any) -> Reply:
    asked: dict[str, Any] = {"caller": "scheduling", "purpose": "scheduling", "orgs": (NORTH,)}
    return scene.ask("/labels", **(asked | {"body": {"ids": []}} | changes))


def test_a_service_sees_the_organisations_it_named(scene: Scene) -> None:
    ids = [send(scene).json["id"], send(scene, SUE, label="lamps").json["id"]]

    reply = ask_labels(scene, body={"ids": ids})

    assert reply.json == {"parcels": [{"id": ids[0], "label": "books"}]}
    assert len(ask_labels(scene, body={"ids": ids}, orgs=(NORTH, SOUTH)).json["parcels"]) == 2
    assert ask_labels(scene, body={"ids": ids}, orgs=()).json == {"parcels": []}


def test_a_service_needs_its_name_and_purpose_on_the_path(scene: Scene) -> None:
    assert is_problem(ask_labels(scene, caller="referrals"), 403)
    assert is_problem(ask_labels(scene, purpose="curiosity"), 403)
    assert is_problem(ask_labels(scene, body={"ids": ["x"]}), 422)
    token = {"authorization": f"Bearer {scene.token(ANA)}", "kindred-purpose": "scheduling"}
    for headers, status in (({}, 401), (token, 403)):
        reply = scene.request(
            "POST", "/internal/labels", body={"ids": []}, headers=headers, internal=True
        )
        assert is_problem(reply, status)


def test_health_says_what_is_missing(scene: Scene) -> None:
    assert scene.request("GET", "/health/matching/live").status == 200
    assert scene.request("GET", "/health/matching/ready").json == {"status": "ready"}

    with psycopg.connect(scene.database.owner) as connection:
        connection.execute("DELETE FROM migrations WHERE name LIKE 'chassis/0003%'")
    lacking = scene.request("GET", "/health/matching/ready")
    scene.pool.close()
    away = scene.request("GET", "/health/matching/ready")

    assert is_problem(lacking, 503)
    assert lacking.json["detail"] == "1 migrations are not applied yet."
    assert is_problem(away, 503)
    assert away.json["detail"] == "The database does not answer."
    assert scene.request("GET", "/health/matching/live").status == 200


def test_the_document_is_served_without_a_token(scene: Scene) -> None:
    served = scene.request("GET", "/api/matching/openapi.json")

    assert served.status == 200
    assert "/api/matching/parcels/{parcel_id}" in json.loads(served.text)["paths"]
