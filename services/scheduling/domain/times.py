"""Which times suit two people: what both left open, less what is taken, far enough ahead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from services.scheduling.domain import policy
from services.scheduling.domain.availability import Availability
from services.scheduling.domain.spans import Span, shared
from services.scheduling.domain.zones import local

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Calendar:
    """One person's or room's side: the hours given, if any, and the time that is claimed.

    `rest_after` is kept free behind each session. Without hours any time suits.
    """

    hours: Availability | None = None
    taken: Sequence[Span] = ()
    rest_after: timedelta = timedelta(0)

    def open_between(self, window: Span) -> list[Span]:
        return [window] if self.hours is None else self.hours.open_between(window)

    def is_free(self, session: Span) -> bool:
        claimed = session.extended(self.rest_after)
        return not any(claimed.overlaps(span) for span in self.taken)


def find_times(
    calendars: Sequence[Calendar], *, window: Span, length: timedelta, time_zone: str
) -> list[Span]:
    """Every time in the window at which a session of that length suits all.

    They begin on the half hours of the zone's clocks, and where a stretch that suits all begins.
    """
    open_ = [window]
    for calendar in calendars:
        open_ = shared(open_, calendar.open_between(window))
    return [
        session
        for stretch in open_
        for session in _sessions_in(stretch, window, length, time_zone)
        if all(calendar.is_free(session) for calendar in calendars)
    ]


def bookable(window: Span, now: datetime) -> Span:
    """The part of a window that keeps the lead time; empty if there is none."""
    start = max(window.starts_at, now + policy.LEAD_TIME)
    return Span(start, max(start, window.ends_at))


def _sessions_in(stretch: Span, window: Span, length: timedelta, time_zone: str) -> Iterator[Span]:
    # Where the window cuts a stretch off is no time that anybody gave.
    is_cut = stretch.starts_at == window.starts_at
    start = _full_step(stretch.starts_at, time_zone) if is_cut else stretch.starts_at
    while start + length <= stretch.ends_at:
        yield Span(start, start + length)
        start = _full_step(start + _MINUTE, time_zone)


def _full_step(moment: datetime, time_zone: str) -> datetime:
    """The first moment from this one on at which clocks in the zone show a full step."""
    shown = local(moment, time_zone)
    over = (shown - datetime.combine(shown, time())) % policy.STEP
    return moment + (policy.STEP - over) if over else moment
