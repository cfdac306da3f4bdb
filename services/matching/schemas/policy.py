"""A policy as a file: what a region may set, and in which bounds."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from services.matching.domain.ranking import POINTS, Policy

_MOST: Final = 1_000_000  # so that sums of a whole region stay exact


def _whole(least: int, most: int = _MOST) -> fields.Integer:
    return fields.Integer(required=True, strict=True, validate=validate.Range(min=least, max=most))


# Each part of the points, all of them, in ten-thousandths.
WeightsSchema: Final = Schema.from_dict({name: _whole(0, POINTS) for name in Policy().weights})


class PolicySchema(Schema):
    version = _whole(1)
    max_kilometres = _whole(1, 20_000)
    shortlist_length = _whole(1, 50)
    served = _whole(0)
    per_day_waited = _whole(0)
    per_step_of_urgency = _whole(0)
    few_options = _whole(0)
    few_options_percent = _whole(0, 100)
    weights = fields.Nested(WeightsSchema, required=True)

    @validates_schema
    def weights_are_all_of_the_points(self, data: Mapping[str, Any], **_: Any) -> None:
        total = sum(data["weights"].values())
        if total != POINTS:
            told = f"Together they are {total}; they have to be {POINTS}."
            raise ValidationError({"weights": [told]})

    @post_load
    def as_policy(self, data: dict[str, Any], **_: Any) -> Policy:
        return Policy(**data)
