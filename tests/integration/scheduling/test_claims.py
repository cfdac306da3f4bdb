"""Nobody and nothing is booked twice at a time, whatever happens at once."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduling.domain import policy
from services.scheduling.domain.spans import Span
from tests.integration.scheduling.region import Pair, Region

TUESDAY_NINE = "2027-01-05T15:00:00Z"
TUESDAY = datetime(2027, 1, 5, 15, tzinfo=UTC)
THREADS = 50


def at_once(tries: Sequence[Callable[[], int]]) -> Counter[int]:
    """How often each status was answered, when all are tried at the same time."""
    with ThreadPoolExecutor(len(tries)) as threads:
        return Counter(threads.map(lambda attempt: attempt(), tries))


def overlapping(region: Region) -> list[object]:
    query = """
        SELECT a.session_id FROM claims a JOIN claims b
            ON a.resource_id = b.resource_id AND a.during && b.during
           AND (a.session_id, a.kind) <> (b.session_id, b.kind)
    """
    return list(region.scene.rows(query))


def test_of_fifty_bookings_of_one_slot_one_is_booked(region: Region) -> None:
    pair = region.pair()

    def attempt() -> int:
        return region.book(region.coordinator, pair, TUESDAY_NINE).status

    assert at_once([attempt] * THREADS) == {201: 1, 409: THREADS - 1}
    assert [kind for kind, _ in region.scene.events()] == ["session.booked.v1"]


def test_of_fifty_clients_who_want_one_peer_at_once_one_is_booked(region: Region) -> None:
    first = region.pair()
    pairs = [first, *(region.pair(peer_id=first.peer_id) for _ in range(THREADS - 1))]

    def attempt(pair: Pair) -> int:
        return region.book(region.client(pair), pair, TUESDAY_NINE).status

    assert at_once([partial(attempt, pair) for pair in pairs]) == {201: 1, 409: THREADS - 1}
    assert len(region.claims()) == 2


def test_sessions_that_are_moved_across_each_other_at_once_never_meet(region: Region) -> None:
    pair = region.pair()
    starts = [TUESDAY + timedelta(hours=hour) for hour in range(6)]
    sessions = [region.booked(pair, start.isoformat()) for start in starts]

    def attempt(session_id: str, start: datetime) -> int:
        path, body = {"session_id": session_id}, {"starts_at": start.isoformat()}
        return region.scene.call("reschedule", region.peer(pair), body, path=path).status

    tries = [partial(attempt, session_id, start) for session_id in sessions for start in starts]
    assert set(at_once(tries)) <= {200, 409}
    assert len(region.claims()) == 12
    assert overlapping(region) == []


@pytest.mark.parametrize("end", ["match.ended.v1", "referral.consent_ended.v1"])
def test_a_match_that_ends_while_it_is_booked_on_leaves_nothing_booked(
    region: Region, end: str
) -> None:
    pair = region.pair()
    starts = [TUESDAY + timedelta(days=day, hours=hour) for day in (0, 1) for hour in range(6)]

    def attempt(start: datetime) -> int:
        return region.book(region.coordinator, pair, start.isoformat()).status

    def finish() -> int:
        if end == "match.ended.v1":
            region.hear_of_match(end, pair, reason="client-choice")
        else:
            region.hear_of_referral(end, pair, cause="withdrawn")
        return 0

    tries = [partial(attempt, start) for start in starts]
    assert set(at_once([*tries[:6], finish, *tries[6:]])) <= {0, 201, 409}
    assert region.claims() == []
    states = region.scene.rows("SELECT DISTINCT state FROM sessions")
    assert {row["state"] for row in states} <= {"cancelled"}


def test_the_database_itself_refuses_what_no_code_looked_at(region: Region) -> None:
    pair = region.pair()
    first = region.booked(pair, TUESDAY_NINE)
    second = region.booked(pair, "2027-01-05T17:00:00Z")
    query = """
        UPDATE claims SET during = (SELECT during FROM claims WHERE session_id = %s AND kind = %s)
         WHERE session_id = %s AND kind = %s
    """

    with (
        pytest.raises(psycopg.errors.ExclusionViolation),
        region.scene.work(region.organisation_id) as work,
    ):
        work.connection.execute(query, (first, "peer", second, "peer"))


@dataclass
class Model:
    """What should be booked: each live session with its two people and its time."""

    live: dict[str, tuple[Pair, Span]] = field(default_factory=dict)

    def is_free(self, pair: Pair, span: Span, besides: str | None = None) -> bool:
        return not any(
            (other.client_id == pair.client_id and span.overlaps(taken))
            or (other.peer_id == pair.peer_id and rested(span).overlaps(rested(taken)))
            for session_id, (other, taken) in self.live.items()
            if session_id != besides
        )


def rested(span: Span) -> Span:
    return span.extended(policy.PEER_REST_AFTER)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "book", "reschedule", "cancel"]),
        st.integers(0, 3),
        st.integers(0, 20),
        st.sampled_from([15, 30, 50]),
    ),
    min_size=5,
    max_size=25,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_any_order_of_changes_ends_as_a_careful_clerk_would_have_it(
    region: Region, steps: list[tuple[str, int, int, int]]
) -> None:
    before = len(region.claims())
    pairs, model = two_by_two(region), Model()
    for action, number, slot, minutes in steps:
        start = TUESDAY + timedelta(minutes=10 * slot)
        span = Span(start, start + timedelta(minutes=minutes))
        if action == "book":
            book(region, model, pairs[number], span)
        elif model.live:
            change(region, model, action, sorted(model.live)[number % len(model.live)], span)

    assert len(region.claims()) - before == 2 * len(model.live)
    assert overlapping(region) == []


def two_by_two(region: Region) -> list[Pair]:
    first, last = region.pair(), region.pair()
    crossed: list[tuple[UUID, UUID]] = [
        (first.peer_id, last.client_id),
        (last.peer_id, first.client_id),
    ]
    return [first, last, *(region.pair(peer_id=p, client_id=c) for p, c in crossed)]


def book(region: Region, model: Model, pair: Pair, span: Span) -> None:
    body = {"minutes": span.length // timedelta(minutes=1)}
    reply = region.book(region.coordinator, pair, span.starts_at.isoformat(), **body)

    assert reply.status == (201 if model.is_free(pair, span) else 409)
    if reply.status == 201:
        model.live[reply.json["id"]] = (pair, span)


def change(region: Region, model: Model, action: str, session_id: str, span: Span) -> None:
    pair, _ = model.live[session_id]
    if action == "cancel":
        assert region.act("cancel", region.coordinator, session_id).status == 200
        del model.live[session_id]
        return
    body = {
        "starts_at": span.starts_at.isoformat(),
        "minutes": span.length // timedelta(minutes=1),
    }
    reply = region.act("reschedule", region.coordinator, session_id, body)

    assert reply.status == (200 if model.is_free(pair, span, besides=session_id) else 409)
    if reply.status == 200:
        model.live[session_id] = (pair, span)
