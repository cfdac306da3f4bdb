"""What a person agreed to, for whom and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

SCOPES: Final = ("matching", "scheduling", "notification", "progress-to-clinic")
# Systems write 9999-12-31 for "no end"; a day later no calendar goes on.
LAST_DAY: Final = date(9999, 1, 1)
ANY_PEER_ORGANISATION: Final = "peer-organisations"


@dataclass(frozen=True, kw_only=True)
class Consent:
    scope: Sequence[str]
    recipients: Sequence[str]
    ends_at: datetime | None

    def covers(self, scope: str, now: datetime) -> bool:
        return scope in self.scope and not self.has_ended(now)

    def has_ended(self, now: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= now

    def allows_matching(self, now: datetime) -> bool:
        return bool(self.recipients) and self.covers("matching", now)

    def peer_organisations(self) -> list[UUID] | None:
        """List the organisations that may learn of the person; none named means any."""
        if ANY_PEER_ORGANISATION in self.recipients:
            return None
        return [UUID(recipient) for recipient in self.recipients]


def ends_at(until: date | datetime | None, zone: str) -> datetime | None:
    """A consent until a day holds through that day where the person lives."""
    if until is None or isinstance(until, datetime):
        return until
    next_midnight = datetime.combine(
        min(until, LAST_DAY) + timedelta(days=1), time(), tzinfo=ZoneInfo(zone)
    )
    return next_midnight.astimezone(UTC)
