"""Time zones: which offset from UTC holds when, from the pinned tzdata package alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from services.scheduling.domain.spans import Span

# No zone in the data changes its offset twice within a day.
_LOOK_EVERY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Offset:
    """A stretch of time in which the zone's clocks show UTC plus `ahead`."""

    span: Span
    ahead: timedelta


@cache
def zone(name: str) -> ZoneInfo:
    """The zone by its name; ValueError if the package has no such zone.

    Read from the package itself: the system's copy, which ZoneInfo(name) would prefer,
    may be older and give another offset.
    """
    if name not in names():
        raise ValueError("not the name of a time zone")
    folder, _, last = ("zoneinfo/" + name).rpartition("/")
    with (resources.files("tzdata") / folder / last).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def names() -> frozenset[str]:
    listed = (resources.files("tzdata") / "zones").read_text().split()
    return frozenset(listed)


def local(moment: datetime, time_zone: str) -> datetime:
    """The date and time that a clock in the zone shows, without the zone."""
    return moment.astimezone(zone(time_zone)).replace(tzinfo=None, fold=0)


def offsets(time_zone: str, span: Span) -> list[Offset]:
    """The span cut where the zone's clocks are changed."""
    pieces: list[Offset] = []
    begun = looked = span.starts_at
    while looked < span.ends_at:
        later = min(looked + _LOOK_EVERY, span.ends_at)
        if _ahead(time_zone, later) != _ahead(time_zone, looked):
            change = _change_between(time_zone, looked, later)
            pieces.append(Offset(Span(begun, change), _ahead(time_zone, begun)))
            begun = change
        looked = later
    if begun < span.ends_at:
        pieces.append(Offset(Span(begun, span.ends_at), _ahead(time_zone, begun)))
    return pieces


def _ahead(time_zone: str, moment: datetime) -> timedelta:
    ahead = moment.astimezone(zone(time_zone)).utcoffset()
    return ahead if ahead is not None else timedelta(0)


def _change_between(time_zone: str, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset, found by halving."""
    old = _ahead(time_zone, before)
    while after - before > _SECOND:
        middle = before + ((after - before) / 2 // _SECOND) * _SECOND
        if _ahead(time_zone, middle) == old:
            before = middle
        else:
            after = middle
    return after.astimezone(UTC)
