"""When a person may safely be written to: wall times of the person, found without gaps or folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_AHEAD = 15  # a week, and once more for a window that the spring change swallows


@dataclass(frozen=True, kw_only=True)
class Window:
    """From one wall time to another; an end not after the start lies on the next day."""

    day: str
    start: time
    end: time

    @property
    def is_overnight(self) -> bool:
        return self.end <= self.start

    def holds(self, wall: datetime) -> bool:
        """Whether a clock on the person's wall, showing this, stands inside the window."""
        today = DAYS[wall.weekday()] == self.day
        clock = wall.time()
        if not self.is_overnight:
            return today and self.start <= clock < self.end
        yesterday = DAYS[(wall.weekday() - 1) % 7] == self.day
        return (today and clock >= self.start) or (yesterday and clock < self.end)


def next_safe_moment(
    windows: Sequence[Window], zone: ZoneInfo, *, now: datetime
) -> datetime | None:
    """The first moment from now on that lies in a window; without windows, now.

    Every candidate is read back from the wall clock, so that an hour that is skipped or
    happens twice is judged by what the person sees, not by arithmetic.
    """

    def is_safe(moment: datetime) -> bool:
        wall = moment.astimezone(zone)
        return any(window.holds(wall) for window in windows)

    if not windows or is_safe(now):
        return now
    openings = (moment for moment in _openings(windows, zone, now) if moment > now)
    return min(filter(is_safe, openings), default=None)


def _openings(windows: Sequence[Window], zone: ZoneInfo, now: datetime) -> list[datetime]:
    today = now.astimezone(zone).date()
    dates = [today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)]
    return [
        datetime.combine(date, window.start, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for date in dates
        for window in windows
        if DAYS[date.weekday()] == window.day
        for fold in (0, 1)
    ]
