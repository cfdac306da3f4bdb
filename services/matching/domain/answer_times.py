"""By when somebody is asked to answer: as long as their channel needs, at a decent local hour."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAYS_BY_CHANNEL: Final = {"email": 3, "sms": 2, "phone": 7, "reception": 7}
LAST_HOUR: Final = time(18, 0)
COORDINATOR_DAYS: Final = 2
SEARCH_DAYS: Final = 7
LONGEST: Final = timedelta(days=60)
# Whoever has waited longer than this is on the coordinator's first page.
LONG_WAIT_DAYS: Final = 14


def answer_by(now: datetime, channel: str, zone: str) -> datetime:
    return _evening(now, DAYS_BY_CHANNEL[channel], zone)


def review_by(now: datetime, *, somebody_suits: bool, zone: str) -> datetime:
    """When the coordinator looks at the referral again at the latest."""
    return _evening(now, COORDINATOR_DAYS if somebody_suits else SEARCH_DAYS, zone)


def _evening(now: datetime, days: int, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone))
    day = local.date() + timedelta(days=days)
    return datetime.combine(day, LAST_HOUR, tzinfo=ZoneInfo(zone)).astimezone(UTC)
