"""Times that suit two people."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.domain import policy
from services.scheduling.domain.spans import Span
from services.scheduling.domain.times import Calendar, bookable, find_times
from services.scheduling.domain.zones import local
from tests.unit.scheduling.examples import STARTS, availabilities, weekly

CHICAGO = "America/Chicago"
MINUTE = timedelta(minutes=1)
WINDOW = Span(datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 11, tzinfo=UTC))


def starts(peer: Calendar, *others: Calendar, minutes: int = 50) -> list[str]:
    length = timedelta(minutes=minutes)
    times = find_times([peer, *others], window=WINDOW, length=length, time_zone=CHICAGO)
    return [f"{local(span.starts_at, CHICAGO):%a %H:%M}" for span in times]


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-01-{text}:00-06:00").astimezone(UTC)


def test_times_begin_on_the_half_hour_of_the_clock() -> None:
    assert starts(Calendar(weekly(CHICAGO, "mon 9-11"))) == ["Mon 09:00", "Mon 09:30", "Mon 10:00"]


def test_a_stretch_that_suits_both_begins_with_a_time_of_its_own() -> None:
    peer, client = (weekly(CHICAGO, hours) for hours in ("mon 9-11", "mon 9:10-11"))

    assert starts(Calendar(peer), Calendar(client)) == ["Mon 09:10", "Mon 09:30", "Mon 10:00"]


def test_two_people_in_different_zones_meet_when_both_clocks_allow_it() -> None:
    peer, client = weekly(CHICAGO, "mon 9-17"), weekly("America/New_York", "mon 9-11")

    assert starts(Calendar(peer), Calendar(client)) == ["Mon 09:00"]


def test_a_client_who_gave_no_hours_is_open_to_all_of_the_peers() -> None:
    assert starts(Calendar(weekly(CHICAGO, "tue 9-10")), Calendar()) == ["Tue 09:00"]


def test_a_peer_who_gave_no_hours_is_offered_at_no_time() -> None:
    assert starts(Calendar(weekly(CHICAGO)), Calendar()) == []


def test_a_peer_rests_after_a_session() -> None:
    taken = [Span(at("04T10:00"), at("04T11:00"))]
    peer = Calendar(weekly(CHICAGO, "mon 9-12"), taken, policy.PEER_REST_AFTER)

    assert starts(peer, minutes=50) == ["Mon 09:00", "Mon 11:00"]
    assert starts(peer, minutes=55) == ["Mon 11:00"]


def test_a_busy_room_is_not_offered() -> None:
    room = Calendar(taken=[Span(at("04T09:00"), at("04T10:00"))])

    assert starts(Calendar(weekly(CHICAGO, "mon 9-11")), Calendar(), room) == ["Mon 10:00"]


def test_the_lead_time_is_kept() -> None:
    now = at("04T09:15")

    assert bookable(WINDOW, now).starts_at == now + policy.LEAD_TIME


def test_a_window_that_ends_before_the_lead_time_is_empty() -> None:
    now = at("04T09:00")
    window = bookable(Span(now, now + MINUTE), now)

    assert window.starts_at == window.ends_at


@given(st.data(), STARTS, st.integers(15, 240))
def test_every_time_suits_both_by_their_own_clocks_and_is_free(
    data: st.DataObject, start: datetime, minutes: int
) -> None:
    window = Span(start, start + timedelta(days=3))
    taken = data.draw(taken_in(window))
    peer_hours, client_hours = data.draw(availabilities(start)), data.draw(availabilities(start))
    peer = Calendar(peer_hours, taken, policy.PEER_REST_AFTER)
    times = find_times(
        [peer, Calendar(client_hours)],
        window=window,
        length=timedelta(minutes=minutes),
        time_zone=peer_hours.time_zone,
    )

    assert len(set(times)) == len(times)
    for time in times:
        assert time.ends_at - time.starts_at == timedelta(minutes=minutes)
        assert window.contains(time)
        assert peer_hours.suits(time)
        assert client_hours.suits(time)
        assert not any(time.extended(policy.PEER_REST_AFTER).overlaps(span) for span in taken)


@given(st.data(), STARTS)
def test_wherever_both_are_open_long_enough_some_time_is_found(
    data: st.DataObject, start: datetime
) -> None:
    window = Span(start, start + timedelta(days=3))
    hours = data.draw(availabilities(start))
    length = timedelta(minutes=policy.DEFAULT_MINUTES)
    times = find_times([Calendar(hours)], window=window, length=length, time_zone=hours.time_zone)

    for stretch in hours.open_between(window):
        cut = policy.STEP if stretch.starts_at == window.starts_at else timedelta(0)
        if stretch.length >= length + cut:
            assert any(stretch.contains(time) for time in times)


def test_a_stretch_that_the_lead_time_cuts_goes_on_at_the_next_half_hour() -> None:
    window = bookable(WINDOW, at("04T09:17"))
    hours = Calendar(weekly(CHICAGO, "mon 9-12:30"))
    length = timedelta(minutes=50)
    times = find_times([hours], window=window, length=length, time_zone=CHICAGO)

    assert [span.starts_at for span in times] == [at("04T11:30")]


def taken_in(window: Span) -> st.SearchStrategy[list[Span]]:
    minutes = st.integers(0, int((window.ends_at - window.starts_at) / MINUTE))
    begin = minutes.map(lambda minute: window.starts_at + minute * MINUTE)
    return st.lists(
        st.builds(
            lambda start, length: Span(start, start + length * MINUTE), begin, st.integers(15, 250)
        ),
        max_size=5,
    )
