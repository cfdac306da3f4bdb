"""Links without an account: one purpose, one use, an end, and "this is not me"."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis import links
from services.chassis.http.request import Caller
from services.chassis.problems import Gone, NotFound
from services.chassis.roles import CLINIC
from tests.integration.chassis.post import opened
from tests.support import Reply, Scene

NORTH, SOUTH = UUID(int=1), UUID(int=2)
ANA = Caller("ana", CLINIC, frozenset({NORTH}))
PERSON = uuid4()


@pytest.fixture
def scene(database: Any) -> Iterator[Scene]:
    with opened(database("matching")) as scene:
        yield scene


def minted(scene: Scene, subject_id: UUID, **changes: Any) -> str:
    facts: dict[str, Any] = {"purpose": "choose", "person_id": PERSON, "orgs": (NORTH, SOUTH)}
    facts["language"] = "en"
    with scene.work(NORTH) as work:
        expires_at = work.now + timedelta(days=3)
        facts |= {"subject_id": subject_id, "expires_at": expires_at}
        return links.mint(work, **(facts | changes))


def parcel(scene: Scene) -> UUID:
    return UUID(scene.call("send", ANA, {"label": uuid4().hex}).json["id"])


def show(scene: Scene, secret: str, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return scene.request("GET", f"/l/{secret}", headers=named)


def use(scene: Scene, secret: str, **form: str) -> Reply:
    return scene.request("POST", f"/l/{secret}", form=form)


def label_of(scene: Scene, parcel_id: UUID) -> str:
    return str(scene.rows("SELECT label FROM parcels WHERE id = %s", (parcel_id,))[0]["label"])


def test_a_link_shows_as_often_as_it_is_opened_and_acts_once(scene: Scene) -> None:
    parcel_id = parcel(scene)
    before = label_of(scene, parcel_id)
    secret = minted(scene, parcel_id)

    assert [show(scene, secret).status for _ in range(3)] == [200, 200, 200]
    assert label_of(scene, parcel_id) == before

    assert [use(scene, secret, label="a").status, use(scene, secret, label="b").status] == [
        200,
        410,
    ]
    assert label_of(scene, parcel_id) == "a"
    assert show(scene, secret).status == 410


def test_ten_at_once_use_a_link_once(scene: Scene) -> None:
    secret = minted(scene, parcel(scene))

    with ThreadPoolExecutor(10) as threads:
        replies = list(threads.map(lambda _: use(scene, secret), range(10)))

    assert sorted(reply.status for reply in replies) == [200] + [410] * 9


def test_the_same_link_is_minted_while_it_is_open(scene: Scene) -> None:
    parcel_id = parcel(scene)

    first = minted(scene, parcel_id)
    scene.pass_time(days=2)
    second = minted(scene, parcel_id)
    scene.pass_time(days=2)

    assert first == second
    assert show(scene, first).status == 200
    use(scene, first)
    assert minted(scene, parcel_id) != first


def test_a_link_has_the_language_of_the_last_mail_that_carried_it(scene: Scene) -> None:
    parcel_id = parcel(scene)

    def language_of(secret: str) -> str:
        with scene.work() as work:
            return links.open_link(work, secret).language

    spanish = minted(scene, parcel_id, language="es")
    assert language_of(spanish) == "es"
    english = minted(scene, parcel_id, language="en")
    assert (english, language_of(english)) == (spanish, "en")


def test_a_language_without_pages_is_read_as_english(scene: Scene) -> None:
    secret = minted(scene, parcel(scene), language="tlh")

    with scene.work() as work:
        assert links.open_link(work, secret).language == "en"


def test_ten_at_once_mint_one_link(scene: Scene) -> None:
    parcel_id = parcel(scene)

    with ThreadPoolExecutor(10) as threads:
        secrets = set(threads.map(lambda _: minted(scene, parcel_id), range(10)))

    assert len(secrets) == 1


def test_another_purpose_person_or_subject_is_another_link(scene: Scene) -> None:
    parcel_id = parcel(scene)
    secrets = {
        minted(scene, parcel_id),
        minted(scene, parcel_id, purpose="respond"),
        minted(scene, parcel_id, person_id=uuid4()),
        minted(scene, parcel(scene)),
    }

    assert len(secrets) == 4


def test_a_link_ends_at_its_time_and_is_followed_by_another(scene: Scene) -> None:
    parcel_id = parcel(scene)
    secret = minted(scene, parcel_id)

    scene.pass_time(days=3)

    assert show(scene, secret).status == 410
    assert use(scene, secret).status == 410
    assert minted(scene, parcel_id) != secret
    assert show(scene, secret).status == 410


def test_this_is_not_me_closes_every_link_of_that_person_and_subject(scene: Scene) -> None:
    parcel_id = parcel(scene)
    mine, also_mine = minted(scene, parcel_id), minted(scene, parcel_id, purpose="respond")
    anothers = minted(scene, parcel_id, person_id=uuid4())
    elsewhere = minted(scene, parcel(scene))

    assert use(scene, mine, act="not-me").status == 200

    assert [show(scene, one).status for one in (mine, also_mine)] == [410, 410]
    assert [show(scene, one).status for one in (anothers, elsewhere)] == [200, 200]


def test_the_table_holds_no_secret(scene: Scene) -> None:
    secret = minted(scene, parcel(scene))

    (row,) = scene.rows("SELECT links::text AS everything FROM links")

    assert secret not in row["everything"]
    assert secret.partition("-")[2] not in row["everything"]


def test_a_secret_tells_its_service_and_is_long_enough_to_keep(scene: Scene) -> None:
    letter, _, rest = minted(scene, parcel(scene)).partition("-")

    assert (letter, len(rest)) == ("m", 43)
    assert links.path_of("m-x") == "/l/m-x"


@pytest.mark.parametrize("secret", ["m-", "m-" + "A" * 43, "x" * 5000, "m-" + "é" * 43, "\0"])
def test_an_unknown_secret_is_a_page_that_knows_nothing(scene: Scene, secret: str) -> None:
    assert show(scene, secret).status == 404
    assert use(scene, secret).status == 404


def test_an_opened_link_shows_only_its_organisations_rows(scene: Scene) -> None:
    first, second = parcel(scene), parcel(scene)
    secret, other = minted(scene, first), minted(scene, second, orgs=(NORTH,))

    with scene.work() as work:
        assert work.connection.execute("SELECT id FROM links").fetchall() == []
        link = links.open_link(work, secret)
        assert work.orgs == {NORTH, SOUTH}
        assert link.org_ids == (NORTH, SOUTH)
        assert link.subject_id == first
        assert links.open_link(work, other).subject_id == second


def test_a_row_is_seen_by_its_organisations_alone(scene: Scene) -> None:
    minted(scene, parcel(scene))

    def seen(*orgs: UUID) -> int:
        with scene.work(*orgs) as work:
            return len(work.connection.execute("SELECT id FROM links").fetchall())

    assert [seen(), seen(NORTH), seen(SOUTH), seen(UUID(int=3))] == [0, 1, 1, 0]


def test_after_a_change_of_the_link_key_a_new_link_replaces_the_old(scene: Scene) -> None:
    parcel_id = parcel(scene)
    old = minted(scene, parcel_id)
    scene.workplace.settings = replace(scene.settings, link_key="another link key of 32 letters..")

    new = minted(scene, parcel_id)

    assert new != old
    with scene.work() as work, pytest.raises(Gone):
        links.open_link(work, old)
    with scene.work() as work:
        assert links.open_link(work, new).subject_id == parcel_id
        with pytest.raises(NotFound):
            links.open_link(work, "m-" + "B" * 43)


def test_a_page_runs_no_script_and_escapes_what_it_shows(scene: Scene) -> None:
    page = show(scene, minted(scene, parcel(scene)))

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    assert "<script" not in page.text


def test_a_closed_link_is_told_in_the_readers_language(scene: Scene) -> None:
    secret = minted(scene, parcel(scene))
    use(scene, secret)

    spanish = show(scene, secret, accept_language="es-US,en;q=0.5", accept="text/html")
    asked_for_json = show(scene, secret, accept="application/json")

    assert spanish.status == 410
    assert '<html lang="es"' in spanish.text
    assert "Este enlace ya no está en uso" in spanish.text
    assert asked_for_json.json["type"] == "urn:kindred:problem:gone"


def test_a_form_may_be_neither_large_nor_json(scene: Scene) -> None:
    secret = minted(scene, parcel(scene))

    assert use(scene, secret, label="a" * 20_000).status == 413
    assert scene.request("POST", f"/l/{secret}", body={"label": "a"}).status == 415
    assert use(scene, secret, label="a\0").status == 400
    assert show(scene, secret).status == 200
