from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain.safe_times import DAYS, Window, next_safe_moment

NEW_YORK = ZoneInfo("America/New_York")
MONDAY_NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)  # 12:00 in New York


def window(day: str, start: str, end: str) -> Window:
    return Window(day=day, start=time.fromisoformat(start), end=time.fromisoformat(end))


def local(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK, fold=fold)  # type: ignore[arg-type,misc]


def test_a_person_without_safe_times_can_be_written_to_now() -> None:
    assert next_safe_moment([], NEW_YORK, now=MONDAY_NOON) == MONDAY_NOON


def test_inside_a_window_now_is_safe() -> None:
    assert next_safe_moment([window("mon", "09:00", "13:00")], NEW_YORK, now=MONDAY_NOON) == (
        MONDAY_NOON
    )


def test_the_end_of_a_window_is_no_longer_safe() -> None:
    safe = next_safe_moment([window("mon", "09:00", "12:00")], NEW_YORK, now=MONDAY_NOON)

    assert safe == local(2026, 11, 30, 9)


def test_the_next_window_is_found_in_the_persons_own_zone() -> None:
    windows = [window("tue", "18:00", "19:00"), window("wed", "08:00", "09:00")]

    assert next_safe_moment(windows, NEW_YORK, now=MONDAY_NOON) == local(2026, 11, 24, 18)


def test_a_window_over_midnight_holds_on_the_next_morning() -> None:
    at_one = local(2026, 11, 24, 1).astimezone(UTC)

    assert next_safe_moment([window("mon", "22:00", "02:00")], NEW_YORK, now=at_one) == at_one


def test_a_window_to_midnight_holds_until_the_last_minute() -> None:
    late = local(2026, 11, 23, 23, 59).astimezone(UTC)

    assert next_safe_moment([window("mon", "20:00", "00:00")], NEW_YORK, now=late) == late


def test_a_window_that_the_spring_change_swallows_waits_a_week() -> None:
    saturday = local(2026, 3, 7, 12).astimezone(UTC)

    safe = next_safe_moment([window("sun", "02:10", "02:50")], NEW_YORK, now=saturday)

    assert safe == local(2026, 3, 15, 2, 10)


def test_an_hour_that_happens_twice_is_safe_both_times() -> None:
    windows = [window("sun", "01:00", "02:00")]

    for fold in (0, 1):
        moment = local(2026, 11, 1, 1, 30, fold=fold).astimezone(UTC)
        assert next_safe_moment(windows, NEW_YORK, now=moment) == moment


@given(
    st.lists(
        st.builds(Window, day=st.sampled_from(DAYS), start=st.times(), end=st.times()),
        min_size=1,
        max_size=4,
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(
        ["America/New_York", "America/Phoenix", "America/St_Johns", "Pacific/Auckland"]
    ),
)
def test_what_is_found_is_never_early_and_always_inside_a_window(
    windows: list[Window], now: datetime, zone: str
) -> None:
    safe = next_safe_moment(windows, ZoneInfo(zone), now=now)

    assert safe is None or safe >= now
    assert safe is None or any(one.holds(safe.astimezone(ZoneInfo(zone))) for one in windows)
    assert safe is None or safe - now < timedelta(days=15, hours=1)
