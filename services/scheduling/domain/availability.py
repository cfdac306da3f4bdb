"""When a person can be met: hours of the week on a wall clock, and dates that differ."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.scheduling.domain.spans import Span, merged, shared, without
from services.scheduling.domain.zones import Offset, offsets

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, order=True)
class Hours:
    """From one minute of a day until another; the last may be 24:00, written 1440."""

    from_minute: int
    to_minute: int


WHOLE_DAY = Hours(0, MINUTES_OF_A_DAY)


@dataclass(frozen=True, order=True)
class WeeklyHours:
    day: str
    hours: Hours


@dataclass(frozen=True, order=True)
class DatedException:
    """On this date the person is there as well, or is away, in these hours."""

    date: date
    available: bool
    hours: Hours


@dataclass(frozen=True)
class Availability:
    """The person can be met at a moment if the clock in their zone then shows open hours.

    So an hour that the clocks skip is never open, and one that they repeat is open twice. Time
    away is never open, whatever the hours say.
    """

    time_zone: str
    weekly: tuple[WeeklyHours, ...]
    exceptions: tuple[DatedException, ...] = ()
    away: tuple[Span, ...] = ()

    def open_between(self, window: Span) -> list[Span]:
        """The open time inside the window."""
        pieces = offsets(self.time_zone, window)
        opened = merged(span for piece in pieces for span in self._open_in(piece))
        return without(opened, self.away)

    def suits(self, session: Span) -> bool:
        """Whether all of the session lies in open time."""
        return any(span.contains(session) for span in self.open_between(session))

    def _open_in(self, piece: Offset) -> list[Span]:
        """The open time while one offset holds; being away outweighs being there."""
        opened: list[Span] = []
        away: list[Span] = []
        for day in _dates(piece):
            opened += [_moments(day, open_.hours, piece) for open_ in self._weekly_on(day)]
            for exception in self.exceptions:
                if exception.date == day:
                    kind = opened if exception.available else away
                    kind.append(_moments(day, exception.hours, piece))
        return shared(without(opened, away), [piece.span])

    def _weekly_on(self, day: date) -> list[WeeklyHours]:
        return [open_ for open_ in self.weekly if open_.day == DAYS[day.weekday()]]


def _dates(piece: Offset) -> list[date]:
    """The dates that clocks show while the offset holds."""
    first = (piece.span.starts_at + piece.ahead).date()
    last = (piece.span.ends_at + piece.ahead).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _moments(day: date, hours: Hours, piece: Offset) -> Span:
    """The hours of the date in UTC, as if the piece's offset held all day."""
    midnight = datetime.combine(day, time(), tzinfo=UTC) - piece.ahead
    return Span(
        midnight + timedelta(minutes=hours.from_minute),
        midnight + timedelta(minutes=hours.to_minute),
    )
