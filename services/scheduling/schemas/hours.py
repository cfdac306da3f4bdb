"""Availability on the wire: a zone, hours of the week on its clocks, and dates that differ."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from services.scheduling.domain.availability import (
    DAYS,
    WHOLE_DAY,
    Availability,
    DatedException,
    Hours,
    WeeklyHours,
)
from services.scheduling.schemas.wire import Clock, known_zone

_BACKWARDS = "Lies before `from` or at the same time."


class WeeklyHoursSchema(Schema):
    day = fields.String(required=True, validate=validate.OneOf(DAYS))
    from_minute = Clock(required=True, data_key="from", attribute="hours.from_minute")
    to_minute = Clock(required=True, data_key="to", attribute="hours.to_minute")

    @validates_schema(skip_on_field_errors=True)
    def check_direction(self, data: dict[str, Any], **_: Any) -> None:
        if data["hours"]["from_minute"] >= data["hours"]["to_minute"]:
            raise ValidationError(_BACKWARDS, field_name="to")

    @post_load
    def to_hours(self, data: dict[str, Any], **_: Any) -> WeeklyHours:
        return WeeklyHours(data["day"], Hours(**data["hours"]))


class DatedExceptionSchema(Schema):
    """Without `from` and `to` it is about the whole day."""

    date = fields.Date(required=True)
    available = fields.Boolean(required=True)
    from_minute = Clock(data_key="from", attribute="hours.from_minute")
    to_minute = Clock(data_key="to", attribute="hours.to_minute")

    @validates_schema(skip_on_field_errors=True)
    def check_direction(self, data: dict[str, Any], **_: Any) -> None:
        hours = data.get("hours", {})
        if len(hours) == 1:
            missing = "to" if "from_minute" in hours else "from"
            raise ValidationError("Goes with the other end of the hours.", field_name=missing)
        if hours and hours["from_minute"] >= hours["to_minute"]:
            raise ValidationError(_BACKWARDS, field_name="to")

    @post_load
    def to_exception(self, data: dict[str, Any], **_: Any) -> DatedException:
        hours = Hours(**data["hours"]) if "hours" in data else WHOLE_DAY
        return DatedException(data["date"], data["available"], hours)


class AvailabilitySchema(Schema):
    time_zone = fields.String(required=True, validate=known_zone)
    weekly = fields.List(
        fields.Nested(WeeklyHoursSchema), required=True, validate=validate.Length(max=100)
    )
    exceptions = fields.List(
        fields.Nested(DatedExceptionSchema), load_default=list, validate=validate.Length(max=400)
    )

    @post_load
    def to_availability(self, data: dict[str, Any], **_: Any) -> Availability:
        return Availability(data["time_zone"], tuple(data["weekly"]), tuple(data["exceptions"]))
