"""Fields of the wire that marshmallow lacks: moments in UTC, clock times, zones."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

from services.scheduling.domain.availability import MINUTES_OF_A_DAY
from services.scheduling.domain.zones import names

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class Moment(fields.AwareDateTime):
    """An RFC 3339 moment, read in any offset and written in UTC with Z."""

    def __init__(self, **more: Any) -> None:
        super().__init__(format="iso", **more)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        if not isinstance(value, datetime):
            return None
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        moment = super()._deserialize(value, *rest, **more)
        try:
            # Calendars count whole seconds (RFC 5545).
            return moment.astimezone(UTC).replace(microsecond=0)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


class Clock(fields.Field[int]):
    """A wall time as `HH:MM`, kept as minutes since midnight; the end of a day is `24:00`."""

    def __init__(self, **more: Any) -> None:
        pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
        super().__init__(metadata={"type": "string", "pattern": pattern}, **more)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else f"{value // 60:02}:{value % 60:02}"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if value == "24:00":
            return MINUTES_OF_A_DAY
        found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("Not a time of day such as 09:30.")
        return int(found[1]) * 60 + int(found[2])


class WallTime(fields.Field[datetime]):
    """A date and time on a clock, written without an offset; the zone stands beside it."""

    def __init__(self, **more: Any) -> None:
        pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$"
        super().__init__(metadata={"type": "string", "pattern": pattern}, **more)

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return value.isoformat() if isinstance(value, datetime) else None


def known_zone(name: str) -> None:
    if name not in names():
        raise ValidationError("Not the name of a time zone such as America/Chicago.")
