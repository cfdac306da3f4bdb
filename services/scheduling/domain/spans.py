"""Stretches of time in UTC, each with a beginning inside and an end outside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Span:
    starts_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        return self.ends_at - self.starts_at

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "Span") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at

    def extended(self, by: timedelta) -> "Span":
        return Span(self.starts_at, self.ends_at + by)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in order, where no two spans touch."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.starts_at <= result[-1].ends_at:
            result[-1] = Span(result[-1].starts_at, max(result[-1].ends_at, span.ends_at))
        elif span.starts_at < span.ends_at:
            result.append(span)
    return result


def shared(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """The time that lies in both."""
    result: list[Span] = []
    left, right = merged(first), merged(second)
    while left and right:
        a, b = left[-1], right[-1]
        if a.overlaps(b):
            result.append(Span(max(a.starts_at, b.starts_at), min(a.ends_at, b.ends_at)))
        # The one that begins later cannot meet anything earlier than this.
        (left if a.starts_at >= b.starts_at else right).pop()
    return result[::-1]


def without(spans: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """The time that lies in the spans and in nothing removed."""
    gaps = merged(removed)
    begins = [_FIRST, *(gap.ends_at for gap in gaps)]
    ends = [*(gap.starts_at for gap in gaps), _LAST]
    return shared(spans, [Span(begin, end) for begin, end in zip(begins, ends, strict=True)])
