"""Peers kept in memory say what the database says, whoever changes it and whatever is undone."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from services.chassis.work import Work
from services.matching.handlers.known_peers import KnownPeers
from services.matching.handlers.shortlisting import rank_peers
from services.matching.repository.peers import Peers
from tests.integration.matching.story import Story

CAPACITY = "UPDATE peers SET capacity = %s, places_limit = %s WHERE id = %s"


class Undone(Exception):
    """Ends a transaction that is not to stay."""


def suitable(story: Story, work: Work | None = None) -> set[UUID]:
    need = story.need(referral_id=uuid4(), peer_genders=(), peer_age_bands=())
    if work is None:
        with story.scene.work() as own:
            return suitable(story, own)
    row = {**need, "peer_organisation_ids": None}
    return {one["peer_id"] for one in rank_peers(row, work).rows}


@contextmanager
def elsewhere(story: Story) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of another process."""
    with psycopg.connect(story.scene.database.owner) as connection:
        yield connection


def test_what_another_process_changed_counts_in_the_next_ranking(story: Story) -> None:
    peer_id = story.add_peer()
    assert suitable(story) == {peer_id}

    with elsewhere(story) as other:
        other.execute(CAPACITY, (0, 0, peer_id))

    assert suitable(story) == set()


def test_a_change_that_began_before_and_commits_after_a_ranking_is_not_missed(
    story: Story,
) -> None:
    early, late = story.add_peer(), story.add_peer()
    with elsewhere(story) as other:
        other.execute(CAPACITY, (0, 0, early))
        with elsewhere(story) as another:
            another.execute(CAPACITY, (0, 0, late))
        assert suitable(story) == {early}

    assert suitable(story) == set()


def test_nothing_remains_of_a_transaction_that_ranked_by_its_own_changes_and_is_undone(
    story: Story,
) -> None:
    peer_id = story.add_peer()
    assert suitable(story) == {peer_id}

    with suppress(Undone), story.scene.work(story.peer_org) as work:
        work.connection.execute(CAPACITY, (0, 0, peer_id))
        add = "INSERT INTO peers SELECT (jsonb_populate_record(peers, %s)).* FROM peers LIMIT 1"
        other = f'{{"id": "{uuid4()}", "capacity": 2, "contact_key": "another"}}'
        work.connection.execute(add, (other,))
        assert len(suitable(story, work)) == 1
        assert suitable(story, work) != {peer_id}
        raise Undone

    assert suitable(story) == {peer_id}


def test_a_peer_of_an_organisation_that_comes_during_a_ranking_is_in_the_next_one(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = story.add_peer()
    new_organisation, found = uuid4(), list[UUID]()
    see = Work.act_for

    def come_in_between(work: Work, orgs: Iterable[UUID]) -> None:
        see(work, orgs)
        if not found:
            story.register_organisation(new_organisation)
            found.append(story.add_peer(org=new_organisation))

    monkeypatch.setattr(Work, "act_for", come_in_between)
    assert suitable(story) == {first}
    monkeypatch.undo()

    assert suitable(story) == {first, *found}


def test_an_organisation_that_moves_takes_its_peers_along(story: Story) -> None:
    peer_id = story.add_peer(modes=["in-person"])
    referral = {"postal_code": None, "area": "Tulsa County"}
    assert story.shortlist(story.refer(**referral)).json["ruled_out"] == {"place": 1}

    body = {"name": "Peers", "time_zone": "America/Chicago", "area": "tulsa county"}
    path = {"peer_organisation_id": story.peer_org}
    moved = story.scene.call(
        "put_peer_organisation", story.operator, body, path=path, if_match='"1"'
    )

    assert moved.status == 200, moved.text
    (found,) = story.shortlist(story.refer(**referral)).json["candidates"]
    assert found["peer_id"] == str(peer_id)


def test_a_second_ranking_reads_only_whom_the_time_in_between_changed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = [story.add_peer() for _ in range(3)]
    suitable(story)
    read = list[UUID]()
    changed: Callable[..., list[dict[str, Any]]] = Peers.changed

    def noted(*arguments: Any) -> list[dict[str, Any]]:
        rows = changed(*arguments)
        read.extend(row["id"] for row in rows)
        return rows

    monkeypatch.setattr(Peers, "changed", noted)
    story.scene.call(
        "change_peer", story.peer(peers[1]), {"capacity": 1}, path={"peer_id": peers[1]}
    )

    assert suitable(story) == set(peers)
    assert read == [peers[1]]


def test_another_database_under_the_same_address_is_read_from_the_beginning(story: Story) -> None:
    peer_id = story.add_peer()
    suitable(story)
    known: KnownPeers = story.scene.workplace.kept[KnownPeers]
    known._index.remove([peer_id])
    assert suitable(story) == set()

    known._horizon += 1_000_000  # as if the other one had come further

    assert suitable(story) == {peer_id}
